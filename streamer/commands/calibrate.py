"""`streamer calibrate`: from a log and a wish to the setting of a task."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from streamer.commands.logged import logged
from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.errors import ConfigError
from streamer.learn.calibrate import Wished, calibrate
from streamer.records.calibration import Calibration, Estimate, Guarantee
from streamer.services.intake import rfc3339


def run(
    settings: Settings, file: Path, task: str, wish: Wished, gold: Path | None, out: Path | None
) -> int:
    """Write the calibration file and say what was chosen, and what is promised.

    Raises `ConfigError`, also where neither `out` nor the settings name the file to write.
    """
    (each,) = logged(settings, file, [task], gold)
    target = _target(settings, each.name, each.task, out)
    made_at = rfc3339(int(time.time() * 1000))
    made = calibrate(each.table.cases, wish, made_at=made_at, period=each.table.period)
    _write(made, target)
    sys.stdout.write("\n".join(told(made)) + f"\nwritten to {target}\n")
    return 0


def told(made: Calibration) -> Iterator[str]:
    """What a calibration means, in plain words."""
    gold = f", {made.data.gold} with a known truth" if made.data.gold else ""
    yield f"{made.task}: learnt from {made.data.rows} tickets of the uniform stratum{gold}"
    yield f"chosen    {_rule(made)}"
    yield f"expected  judge rate {_share(made.judge_rate)}, fidelity {_share(made.fidelity)}" + (
        f", accuracy {_share(made.accuracy)}" if made.accuracy.rows else ""
    )
    if made.guarantee is None:
        yield "promised  nothing: a judge budget is an aim, met on average"
    else:
        yield from _promise(made.guarantee)


def _promise(found: Guarantee) -> Iterator[str]:
    tested = f"{found.hits} of {found.rows} right, at least {found.bound:.3f}"
    wished = f"{found.measure} of at least {found.at_least:g} with confidence {found.confidence:g}"
    if not found.holds:
        yield f"promised  nothing: a {wished} is out of reach of this log ({tested})"
        yield "          all tickets go to the judge; wish for less, or log more tickets"
        return
    yield f"promised  {wished} ({tested})"
    if found.labels:
        yield f"          for each alone: {', '.join(found.labels)}"
    if found.pooled:
        yield f"          only together with the others: {', '.join(found.pooled)}"


def _rule(made: Calibration) -> str:
    rule, names = made.rule, ", ".join(made.models)
    if rule.kind == "judge":
        return "the judge for every ticket"
    dials = {"measure": rule.measure, "at least": rule.at_least, "alpha": rule.alpha}
    known = [f"{name} {value}" for name, value in dials.items() if value is not None]
    alone = [f"by {rule.worker} alone"] if rule.worker else []
    return ", ".join([f"{rule.kind} of {names}", *known, *alone])


def _share(found: Estimate) -> str:
    if found.value is None:
        return "-"
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _target(settings: Settings, name: str, task: Task, out: Path | None) -> Path:
    if out is not None:
        return out
    if task.calibration is None:
        raise ConfigError(f"tasks.{name}.calibration names no file: add the key, or say --out FILE")
    return settings.path(task.calibration)


def _write(made: Calibration, target: Path) -> None:
    """The file takes its name when it is whole: a service may start meanwhile."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        unfinished.write_bytes(made.to_json())
        unfinished.replace(target)
    except OSError as error:
        raise ConfigError(f"can't write {target}: {error.strerror}; make its folder") from None
