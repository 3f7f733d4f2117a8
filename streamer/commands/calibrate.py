"""`streamer calibrate`: from a log and a wish to the setting of a task."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from streamer.commands.calibrate_after import told_after
from streamer.commands.calibrate_now import Now, now_or_none, to_write
from streamer.commands.logged import Logged, logged
from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.decide.arbitration_rule import arbitration_rule
from streamer.errors import ConfigError
from streamer.learn.calibrate.after_judge import calibrate_both
from streamer.learn.calibrate.calibrate import Targets, calibrate
from streamer.learn.calibrate.targets import JudgeShareTarget, Margin
from streamer.records.calibration import Calibration, Estimate, Guarantee
from streamer.records.label import Rule
from streamer.records.times import rfc3339
from streamer.services.learned.rules import rule_after
from streamer.terminal import tell, tell_json

UNJUDGED = 0.01
"""The largest share of the uniform tickets that may have no verdict (we choose)."""


def run(
    settings: Settings,
    file: Path,
    task: str,
    targets: Targets,
    gold: Path | None,
    out: Path | None,
    as_json: bool = False,
    trial: bool = False,
    margin: Margin | None = None,
) -> int:
    """Write the calibration file and say what was chosen, and what is promised.

    With a `margin` the rule after the judge is chosen, too. With `trial` it is of the versions on
    trial, as if they voted. Without `out` it is written to the configured file, or to
    <task>.calibration.json beside the configuration. Raises `ConfigError`.
    """
    _refuse_follower(settings, task)
    _refuse_empty_promise(settings, task, targets, margin)
    if trial and out is None:
        raise ConfigError("--trial needs --out FILE: the configured file is of what serves now")
    (each,) = logged(settings, file, [task], gold, trial)
    _refuse_gaps(each)
    target = _target(settings, each.name, each.task, out)
    calibration, dataset = _calibrated(each, targets, margin), each.table.dataset
    now = None if trial else now_or_none(settings, task, each.task, dataset, targets)
    _write(calibration, target)
    if as_json:
        tell_json({"file": str(target), "calibration": calibration, "now": now})
        return 0
    after_waits = each.task.after.kind == "calibrated"
    tell("\n".join([*told(calibration, now, after_waits=after_waits), f"written to {target}"]))
    if not trial and (calibration.guarantee is None or calibration.guarantee.holds):
        tell("\n".join(to_write(settings, task, target, after=calibration.after is not None)))
    return 0


def _calibrated(each: Logged, targets: Targets, margin: Margin | None) -> Calibration:
    made_at = rfc3339(int(time.time() * 1000))
    dataset, period = each.table.dataset, each.table.period
    if margin is not None:
        return calibrate_both(dataset, targets, margin, made_at=made_at, period=period)
    after = rule_after(each.task, None)
    rule = arbitration_rule(after.kind, after.alpha)
    return calibrate(dataset, targets, made_at=made_at, after=rule, period=period)


def told(
    calibration: Calibration, now: Now | None = None, *, after_waits: bool = False
) -> Iterator[str]:
    """What a calibration means, in plain words, beside the rule that serves now.

    With `after_waits` the task takes its rule after the judge from the file.
    """
    gold = f", {calibration.data.gold} with a known truth" if calibration.data.gold else ""
    rows = calibration.data.rows
    yield f"{calibration.task}: learnt from {rows} tickets of the uniform stratum{gold}"
    yield f"chosen    {_rule(calibration.rule, list(calibration.models))}"
    yield (
        f"expected  judge rate {_share(calibration.judge_rate)}, "
        f"fidelity {_share(calibration.fidelity)}"
        + (f", accuracy {_share(calibration.accuracy)}" if calibration.accuracy.rows else "")
    )
    if now is not None:
        yield f"now       {_rule(now.rule, list(calibration.models))}"
        yield f"          judge rate {now.judge_rate}, fidelity {now.fidelity}"
    if calibration.guarantee is None:
        yield "promised  nothing: a judge budget is an aim, met on average"
    else:
        yield from _promise(calibration.guarantee)
    if calibration.after is not None:
        yield from told_after(calibration.after)
    elif after_waits:
        yield "after     v3 with alpha 0: give --margin, and another rule may be proven"


def _promise(guarantee: Guarantee) -> Iterator[str]:
    tested = f"{guarantee.hits} of {guarantee.rows} right, at least {guarantee.bound:.3f}"
    aim = f"{guarantee.measure} of at least {guarantee.at_least:g}"
    wished = f"{aim} with confidence {guarantee.confidence:g}"
    if not guarantee.holds:
        yield f"promised  nothing: a {wished} is out of reach of this log ({tested})"
        yield "          all tickets go to the judge; wish for less, or log more tickets"
        return
    yield f"promised  {wished} ({tested})"
    if guarantee.labels:
        yield f"          for each alone: {', '.join(guarantee.labels)}"
    if guarantee.pooled:
        yield f"          only together with the others: {', '.join(guarantee.pooled)}"


def _rule(rule: Rule, workers: Sequence[str]) -> str:
    names = ", ".join(workers)
    if rule.kind == "judge":
        return "the judge for every ticket"
    numbers = {"at least": rule.at_least, "alpha": rule.alpha}
    thresholds = [f"measure {rule.measure}"] if rule.measure is not None else []
    thresholds += [f"{name} {value:.7g}" for name, value in numbers.items() if value is not None]
    alone = [f"by {rule.worker} alone"] if rule.worker else []
    return ", ".join([f"{rule.kind} of {names}", *thresholds, *alone])


def _share(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _refuse_follower(settings: Settings, name: str) -> None:
    task = settings.tasks.get(name)
    if task is not None and task.when is not None and task.when.task is not None:
        raise ConfigError(
            f"tasks.{name}.when names task {task.when.task}: only tickets of which the workers"
            f" settled {task.when.task} are logged, and no promise can rest on them: choose this"
            " task's rule by hand (majority, unanimity, chow)"
        )


def _refuse_empty_promise(
    settings: Settings, name: str, targets: Targets, margin: Margin | None
) -> None:
    """A promise is of one rule before the judge, and must be of what is published."""
    task = settings.tasks.get(name)
    if task is None or (isinstance(targets, JudgeShareTarget) and margin is None):
        return
    if task.publishes_first:
        raise ConfigError(
            f"tasks.{name}.mode is {task.mode}: every label is published before the judge has seen"
            " it, whatever the rule, so none can promise anything: wish for a judge budget with"
            " no margin, which fits the temperatures, or serve the task in mode sequential"
        )
    if task.segments is not None:
        raise ConfigError(
            f"tasks.{name}.segments: each segment is served in its own way, and a promise of one"
            " way for all is not of what is published: wish for a judge budget, with no margin, or"
            " take out `segments`"
        )


def _refuse_gaps(each: Logged) -> None:
    """Audits that are given up are accepted tickets: what is left would be no fair sample."""
    lacking, tickets = each.table.unjudged, len(each.table.dataset)
    if lacking > UNJUDGED * tickets:
        raise ConfigError(
            f"{each.name}: {lacking} of {tickets} tickets have no verdict, and the others are"
            f" no fair sample (over {UNJUDGED:.0%}): export another time range (--since), or raise"
            " audit.patience, or add judges, and wait"
        )


def _target(settings: Settings, name: str, task: Task, out: Path | None) -> Path:
    if out is not None:
        return out
    return settings.path(task.calibration or Path(f"{name}.calibration.json"))


def _write(calibration: Calibration, target: Path) -> None:
    """The file takes its name when it is whole: a service may start meanwhile."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        unfinished.write_bytes(calibration.to_json())
        unfinished.replace(target)
    except OSError as error:
        raise ConfigError(f"can't write {target}: {error.strerror}; make its folder") from None
