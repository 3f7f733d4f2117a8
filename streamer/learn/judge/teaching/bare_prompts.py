"""The prompts of a taught model, which say no more than what the task is called."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from streamer.judging.llm.prompt import TAUGHT, Prompt
from streamer.records.labelset import LabelSet

_HEAD = """\
# What the model beside this file was taught to answer for task {task}. It knows the labels by
# heart: to change them, or their order, teach it again.
"""


def bare_prompt(task: str, label_set: LabelSet) -> Prompt:
    """It names the task alone: that tells it from the others that the model was taught."""
    return Prompt(task, label_set, task.replace("_", " "), label_set.labels, bare=True)


def write_prompts(prompts: Sequence[Prompt], folder: Path) -> None:
    """A file for each, where the judge of a taught model in `folder` looks for them."""
    (folder / TAUGHT).mkdir()
    for prompt in prompts:
        body = {
            "bare": True,
            "instructions": prompt.instructions,
            "labels": dict(zip(prompt.label_set.labels, prompt.descriptions, strict=True)),
        }
        written = yaml.safe_dump(body, sort_keys=False, allow_unicode=True)
        file = folder / TAUGHT / f"{prompt.task}.yaml"
        file.write_text(_HEAD.format(task=prompt.task) + written, encoding="utf-8")
