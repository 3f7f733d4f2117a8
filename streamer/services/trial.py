"""Asks the judge about one text, and shows what it read, what it scored and what would follow."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.judging.judge import Judge
from streamer.judging.language import LanguageJudge
from streamer.records.labelset import LabelSet
from streamer.services.judge import load
from streamer.services.judge_task import JudgeTask
from streamer.terminal import clean, paint, tell, tell_json

_BAR = 30


@dataclass(frozen=True, slots=True)
class Trial:
    """The judge's answer for one task: labels with their probabilities, the likeliest first.

    `prompt` is what a language model read, None for another judge; `unsure` says that a person
    would be asked.
    """

    task: str
    judge: str
    prompt: str | None
    scores: tuple[tuple[str, float], ...]
    coverage: float | None
    truncated: bool
    unsure: bool


def run(settings: Settings, text: str, tasks: Sequence[str] | None, as_json: bool) -> int:
    """Tell of each task, or those in `tasks`; raises `ConfigError`, or `EngineDead`."""
    for name in tasks or ():
        if name not in settings.tasks:
            raise ConfigError(f"--task: there is no task {name}: {', '.join(settings.tasks)}")
    for trial in asyncio.run(_trials(settings, text, tasks or list(settings.tasks))):
        if as_json:
            tell_json(_document(trial))
        else:
            _show(trial)
    return 0


async def _trials(settings: Settings, text: str, tasks: Sequence[str]) -> list[Trial]:
    judge = load(settings)
    try:
        await judge.start()
        return [await _trial(judge, settings, name, text) for name in tasks]
    finally:
        await judge.stop()


async def _trial(judge: Judge, settings: Settings, name: str, text: str) -> Trial:
    task = settings.tasks[name]
    label_set: LabelSet = task.label_set
    answer = await judge.score(name, label_set.version, [text])
    row = answer.probabilities[0].tolist()
    coverage = None if answer.coverage is None else float(answer.coverage[0])
    scores = sorted(zip(label_set.labels, row, strict=True), key=lambda one: -one[1])
    followed = JudgeTask.of(task, min_coverage=settings.judge.min_coverage)
    language = judge if isinstance(judge, LanguageJudge) else None
    return Trial(
        task=name,
        judge=judge.version(name, label_set.version),
        prompt=None if language is None else language.shown(name, label_set.version, text),
        scores=tuple(scores),
        coverage=coverage,
        truncated=bool(answer.truncated[0]),
        unsure=followed.unsure(scores[0][1], coverage),
    )


def _document(trial: Trial) -> dict[str, Any]:
    return {
        "task": trial.task,
        "label": trial.scores[0][0],
        "scores": dict(trial.scores),
        "coverage": trial.coverage,
        "unsure": trial.unsure,
        "truncated": trial.truncated,
        "judge": trial.judge,
        "prompt": trial.prompt,
    }


def _show(trial: Trial) -> None:
    tell(paint(f"{trial.task}: {trial.scores[0][0]}, by judge {trial.judge}", "bold"))
    if trial.prompt is not None:
        tell(clean(trial.prompt, keep="\n"))
    for label, share in trial.scores:
        tell(f"  {label:<24} {share:8.5f}  {'█' * round(share * _BAR)}")
    for said in _remarks(trial):
        tell(f"  {said}")


def _remarks(trial: Trial) -> list[str]:
    said = []
    if trial.coverage is not None:
        said.append(f"{trial.coverage:.4f} of the model's probability is on the labels")
    if trial.truncated:
        said.append("of the text it read head and tail only: judge.max_ticket_tokens")
    if trial.unsure:
        said.append("it is unsure: a person would be asked")
    return said
