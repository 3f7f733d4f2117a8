"""`streamer learn judge`: is what is on trial better than what serves?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from streamer.commands.learn.loop import Loop, on_trial
from streamer.commands.logged import Logged
from streamer.config.tasks import Task
from streamer.decide.arbitration_rule import arbitration_rule
from streamer.errors import ConfigError
from streamer.learn.data.decisions import LoggedDecision, logged_decisions
from streamer.learn.data.log_table import LogTable
from streamer.learn.measures.shares import Share
from streamer.learn.replay.what_if import Published
from streamer.learn.rollout.judgement import Compared, Judgement, compared
from streamer.learn.rollout.page import page
from streamer.learn.rollout.promoted import PairedDecisions, first_of_each
from streamer.learn.rollout.vote import TOLERANCE, VoteComparison
from streamer.records.calibration import Calibration
from streamer.records.learned import Entry
from streamer.records.log_file import read_log
from streamer.services.learned.rules import load_calibration, rule_before
from streamer.terminal import tell, tell_json, watched


@dataclass(frozen=True, slots=True)
class Offered:
    """A calibration that was made for the versions on trial, and its file."""

    file: Path
    calibration: Calibration


def run(
    loop: Loop,
    log: Path,
    tasks: Sequence[str],
    calibration: Path | None,
    out: Path | None,
    tolerance: float = TOLERANCE,
    as_json: bool = False,
) -> int:
    """Say of each open trial what is known of it now; `out` is a page to write.

    `calibration` was made for the versions on trial of one task; `tolerance` is how much less often
    the labels may agree with the judge. Raises `ConfigError`.
    """
    trials = loop.trials(tasks)
    judgements = judged(loop, log, trials, offered(loop, trials, calibration), tolerance)
    for judgement in judgements:
        if as_json:
            tell_json(document(judgement))
        else:
            tell("\n".join(told(judgement, _reach(loop, judgement))))
    if out is not None:
        _write(out, page(judgements))
    return 0


def judged(
    loop: Loop,
    log: Path,
    trials: Sequence[Entry],
    calibration: Offered | None,
    tolerance: float,
) -> list[Judgement]:
    """Each trial by the log, of tickets that were decided since it began."""
    decisions = logged_decisions(watched(read_log(log), "records"))
    return [_judged(loop, decisions, trial, calibration, tolerance) for trial in trials]


def offered(loop: Loop, trials: Sequence[Entry], file: Path | None) -> Offered | None:
    """The calibration in a file, if it is of the one trial; raises `ConfigError` where it isn't."""
    if file is None:
        return None
    if len(trials) > 1:
        raise ConfigError("--calibration is of one task: name it with --task")
    trial = trials[0]
    calibration = load_calibration(trial.task, loop.settings.tasks[trial.task], file)
    for model, (_, version) in on_trial(trial).items():
        calibrated_for = calibration.models[model].version
        if calibrated_for not in (None, version):
            raise ConfigError(
                f"{file} is of version {calibrated_for} of {model}, and version {version} is on"
                f" trial: {how_to_calibrate(trial.task)}"
            )
    return Offered(file, calibration)


def how_to_calibrate(task: str) -> str:
    """The command that makes a calibration for what is on trial."""
    return (
        f"make one by `streamer calibrate LOG --task {task} --trial --judge-budget SHARE --out"
        " FILE` (or --fidelity), and give it by --calibration FILE"
    )


def document(judgement: Judgement) -> dict[str, Any]:
    """A judgement as JSON has it, and the record of a promotion."""
    by_field = {
        "task": judgement.task,
        "since": judgement.since,
        "verdict": judgement.verdict,
        "reasons": judgement.reasons,
        "more": judgement.more,
        "workers": [
            {
                "worker": each.worker,
                "serving": each.serving,
                "version": each.version,
                "verdict": each.test.verdict,
                "test": each.test,
            }
            for each in judgement.workers
        ],
        "vote": judgement.vote,
    }
    plain: dict[str, Any] = orjson.loads(orjson.dumps(by_field))
    return plain


def told(judgement: Judgement, reach: float) -> Iterator[str]:
    """In words; `reach` is the share of the tickets that count."""
    for each in judgement.workers:
        yield f"{judgement.task}: {_compared(each)}"
    if judgement.vote is not None:
        before, after = judgement.vote.agreement
        asked, to_ask = judgement.vote.judge_rate
        lead = judgement.vote.lead
        yield (
            f"{judgement.task}: the vote, on {judgement.vote.tickets} tickets: agreement with"
            f" the judge {before}, with the trial {after}, difference {lead.value:+.3f}"
            f" [{lead.low:+.3f}, {lead.high:+.3f}]; judge rate {asked}, with the trial {to_ask}"
        )
    yield f"{judgement.task}: {_verdict(judgement)}"
    yield from (f"  {reason}" for reason in judgement.reasons)
    if judgement.verdict == "not yet known" and judgement.more:
        wide = f", of about {judgement.more / reach:.0f} in the stream" if reach else ""
        yield f"  at this rate it takes about {judgement.more} more judged tickets{wide}"


def _judged(
    loop: Loop,
    decisions: Sequence[LoggedDecision],
    trial: Entry,
    calibration: Offered | None,
    tolerance: float,
) -> Judgement:
    task, versions = loop.settings.tasks[trial.task], on_trial(trial)
    since = list(first_of_each(decisions, trial.at))
    workers = tuple(compared(since, trial.task, task.label_set, versions))
    vote, lacking = _vote(loop, since, trial, calibration, tolerance)
    return Judgement(trial.task, trial.at, workers, vote, lacking)


def _vote(
    loop: Loop,
    decisions: Sequence[LoggedDecision],
    trial: Entry,
    calibration: Offered | None,
    tolerance: float,
) -> tuple[VoteComparison | None, str | None]:
    task = loop.settings.tasks[trial.task]
    if task.segments is not None:
        return None, (
            "the task is routed by segments, whose ways were chosen for the versions that serve, so"
            " the vote with the others can't be compared: promote it for a reason, by --anyway, and"
            " fit segments again"
        )
    if task.calibration is not None and calibration is None:
        return None, (
            "the calibration is of the versions that serve, so the vote with the others can't be"
            f" compared: {how_to_calibrate(trial.task)}"
        )
    both = PairedDecisions.of(decisions, trial.task, on_trial(trial))
    path = None if task.calibration is None else loop.settings.path(task.calibration)
    configured = None if path is None else load_calibration(trial.task, task, path)
    serving = _published(trial.task, task, both.served, configured)
    promoted = _published(
        trial.task, task, both.promoted, None if calibration is None else calibration.calibration
    )
    if serving is None or promoted is None:
        return None, "no ticket of the uniform stratum has the judge's and all workers' answers"
    return VoteComparison.of(serving, promoted, tolerance), None


def _published(
    name: str, task: Task, decisions: Sequence[LoggedDecision], calibration: Calibration | None
) -> Published | None:
    workers = [worker.model for worker in task.workers]
    table = LogTable.of(decisions, name, task.label_set, workers)
    dataset = Logged(name, task, table, None).judged(calibration)
    if not len(dataset):
        return None
    after = arbitration_rule(task.after.kind, task.after.alpha)
    return Published.of(dataset, rule_before(task, calibration), after, task.mode)


def _reach(loop: Loop, judgement: Judgement) -> float:
    """The share of the stream that is audited and shown to what is on trial."""
    workers = loop.serves(judgement.task).workers.values()
    shares = [worker.shadow.share for worker in workers if worker.shadow is not None]
    return min(shares) * loop.settings.audit.share


def _compared(comparison: Compared) -> str:
    head = f"{comparison.worker} version {comparison.version} beside version {comparison.serving}"
    if comparison.trial is None or comparison.trial.judged is None:
        return f"{head}: no judged ticket of the uniform stratum has both answers yet"
    test, surely = comparison.test, f"{1 - comparison.test.alpha:.1%}"
    return (
        f"{head}, on {test.of} judged tickets: agreement with the judge"
        f" {_shown(comparison.trial.judged)}, was {_shown(comparison.trial.serving_judged)};"
        f" {test.gained} gained, {test.lost} lost, share gained in [{test.low:.3f},"
        f" {test.high:.3f}] at all looks with {surely}: {test.verdict}"
    )


def _shown(share: Share | None) -> str:
    return "-" if share is None else str(share)


def _verdict(judgement: Judgement) -> str:
    if judgement.verdict == "better":
        return f"better: `streamer learn promote LOG --task {judgement.task}` promotes it"
    if judgement.verdict == "worse":
        return f"worse: `streamer learn rollback --trial --task {judgement.task}` ends the trial"
    return "not yet known"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"can't write {path}: {error.strerror}; name another file") from None
