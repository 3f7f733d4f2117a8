"""Asks the judge about one text, and shows what it read, what it scored and what would follow."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from streamer.config.settings import Settings
from streamer.decide.arbitration import judgement, quantised
from streamer.errors import ConfigError
from streamer.judging.endpoint.endpoint_judge import EndpointJudge
from streamer.judging.judge import Judge
from streamer.judging.llm.language import LanguageJudge
from streamer.judging.loading import loaded
from streamer.services.judge.judge_task import JudgeTask, judge_tasks
from streamer.terminal import clean, paint, tell, tell_json
from streamer.words import no_such_task

_BAR = 30
# So long an endpoint is waited for.
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class JudgeTrial:
    """The judge's answer for one task: labels with their probabilities, the likeliest first.

    `prompt` is what a language model read, None for another judge; `unsure` says that a person
    would be asked; nobody knows it of a judge that names a label alone, whose probability is not
    `known`. `calibration` is the version of the one whose temperature is in the
    probabilities, `strange` that of one that was made with another judge and is left out.
    """

    task: str
    judge: str
    prompt: str | None
    scores: tuple[tuple[str, float], ...]
    coverage: float | None
    known: bool
    truncated: bool
    unsure: bool
    calibration: str | None
    strange: str | None


def run(
    settings: Settings,
    text: str,
    tasks: Sequence[str] | None,
    as_json: bool,
    load: Callable[[Settings], Awaitable[Judge]] | None = None,
) -> int:
    """Tell of each task, or those in `tasks`; raises `ConfigError`, or `EngineDead`."""
    for name in tasks or ():
        if name not in settings.tasks:
            raise ConfigError(no_such_task(name, settings.tasks))
    loading = load or partial(loaded, patience=_PATIENCE_S)
    all_tasks = judge_tasks(settings)
    followed = {name: all_tasks[name] for name in tasks or all_tasks}
    # What has too little coverage to be served is what one wants to look at.
    judge = settings.judge.model_copy(update={"min_coverage": 0.0})
    loads = loading(settings.model_copy(update={"judge": judge}))
    for trial in asyncio.run(_trials(loads, followed, text)):
        if as_json:
            tell_json(_document(trial))
        else:
            _show(trial)
    return 0


async def _trials(
    loading: Awaitable[Judge], tasks: Mapping[str, JudgeTask], text: str
) -> list[JudgeTrial]:
    judge = await loading
    try:
        await judge.start()
        return [await _trial(judge, name, task, text) for name, task in tasks.items()]
    finally:
        await judge.stop()


async def _trial(judge: Judge, name: str, task: JudgeTask, text: str) -> JudgeTrial:
    label_set = judge.label_sets(name)[0]
    version, calibration = judge.version(name, label_set.version), task.calibration
    fits = calibration is not None and calibration.judge.version in (None, version)
    answer = await judge.score(name, label_set.version, [text])
    temperature = calibration.judge.temperature if calibration is not None and fits else None
    row = judgement(quantised(answer.probabilities), temperature).probabilities
    assert row is not None  # a judge always has them
    coverage = None if answer.coverage is None else float(answer.coverage[0])
    scores = sorted(zip(label_set.labels, row[0].tolist(), strict=True), key=lambda pair: -pair[1])
    return JudgeTrial(
        task=name,
        judge=version,
        prompt=await _prompt(judge, name, label_set.version, text),
        scores=tuple(scores),
        coverage=coverage,
        known=answer.known,
        truncated=bool(answer.truncated[0]),
        unsure=answer.known and task.unsure(scores[0][1], coverage),
        calibration=calibration.version if calibration is not None and fits else None,
        strange=calibration.version if calibration is not None and not fits else None,
    )


async def _prompt(judge: Judge, task: str, label_set: str, text: str) -> str | None:
    if isinstance(judge, LanguageJudge | EndpointJudge):
        return await judge.shown(task, label_set, text)
    return None


def _document(trial: JudgeTrial) -> dict[str, Any]:
    return {
        "task": trial.task,
        "label": trial.scores[0][0],
        "scores": dict(trial.scores),
        "coverage": trial.coverage,
        "unsure": trial.unsure,
        "known": trial.known,
        "truncated": trial.truncated,
        "calibration": trial.calibration,
        "judge": trial.judge,
        "prompt": trial.prompt,
    }


def _show(trial: JudgeTrial) -> None:
    tell(paint(f"{trial.task}: {trial.scores[0][0]}, by judge {trial.judge}", "bold"))
    if trial.prompt is not None:
        tell(clean(trial.prompt, keep="\n"))
    for label, share in trial.scores:
        tell(f"  {label:<24} {share:8.5f}  {'█' * round(share * _BAR)}")
    for remark in _remarks(trial):
        tell(f"  {remark}")


def _remarks(trial: JudgeTrial) -> list[str]:
    remarks = []
    if trial.calibration is not None:
        remarks.append(f"with the temperature of calibration {trial.calibration}")
    if trial.strange is not None:
        remarks.append(
            f"calibration {trial.strange} is of another version of the judge: it is left out here, "
            "and the service refuses to start with it; run `streamer calibrate` again"
        )
    if not trial.known:
        remarks.append("it names a label and does not tell how sure it is")
    if trial.coverage is not None:
        remarks.append(f"{trial.coverage:.4f} of the model's probability is on the labels")
    if trial.truncated:
        remarks.append("of the text it read head and tail only: judge.max_ticket_tokens")
    if trial.unsure:
        remarks.append("it is unsure: a person would be asked")
    return remarks
