"""The prompts that a judge holds: for each task the configured label set's and the one before."""

from collections.abc import Mapping
from pathlib import Path

from streamer.judging.prompt import Prompt
from streamer.records.labelset import LabelSet

Prompts = Mapping[str, tuple[Prompt, ...]]
"""By task, the current one first and at most one older after it."""


def load_prompts(folder: Path, tasks: Mapping[str, LabelSet]) -> Prompts:
    """Read `<folder>/<task>.yaml` for each task, and `<task>.previous.yaml` where there is one.

    The older one answers requests that were on their way when the label set changed; its labels are
    those in the file, in that order. Raises `ConfigError`.
    """
    return {task: _held(folder, task, want) for task, want in tasks.items()}


def _held(folder: Path, task: str, want: LabelSet) -> tuple[Prompt, ...]:
    current = Prompt.load(folder / f"{task}.yaml", task, want)
    older = folder / f"{task}.previous.yaml"
    if not older.exists():
        return (current,)
    previous = Prompt.load(older, task)
    return (current,) if previous.label_set == want else (current, previous)
