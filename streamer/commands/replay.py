"""`streamer replay`: decides the log again, or asks what another rule would have done."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from streamer.commands.logged import Logged, logged
from streamer.config.document import explained
from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.arbitration_rules import ArbitrationRule
from streamer.errors import ConfigError
from streamer.learn.evaluation.options import Prices
from streamer.learn.replay.formerly import SINCE
from streamer.learn.replay.known_versions import KnownVersions
from streamer.learn.replay.replay import Difference, Replayed, replay
from streamer.learn.replay.what_if import Supposed, WhatIf, what_if
from streamer.records.calibration import Calibration
from streamer.records.log_file import read_log
from streamer.records.routing import Routing
from streamer.services.learned.routing_file import read_routing
from streamer.services.learned.rules import rule_after, rule_before
from streamer.terminal import clean, note, tell, tell_json, watched

SHOWN = 20


def run(
    settings: Settings,
    file: Path,
    calibrations: Sequence[Path],
    segments: Sequence[Path] = (),
    as_json: bool = False,
) -> int:
    """Decide every logged ballot and verdict again; returns 1 where anything differs, but for what
    a version before `formerly.SINCE` decided otherwise: that is listed apart.

    Calibrations are those of the settings and of these files, and so are the `segments`, by their
    folders. Raises `ConfigError`.
    """
    tasks = {name: task.label_set for name, task in settings.tasks.items()}
    versions = KnownVersions(_calibrations(settings, calibrations), _routings(settings, segments))
    replayed = replay(watched(read_log(file), "records"), tasks, versions)
    if as_json:
        tell_json(replayed)
    else:
        tell("\n".join(_told(replayed)))
    return 1 if replayed.differences else 0


def suppose(
    settings: Settings,
    file: Path,
    tasks: Sequence[str],
    rule: Mapping[str, str | float] | None,
    after: ArbitrationRule | None,
    mode: Supposed,
    latencies: Prices | None,
    as_json: bool = False,
) -> int:
    """Say what `rule`, `after` (default: the configured ones) and mode would have done.

    Raises `ConfigError`.
    """
    for each in logged(settings, file, tasks, gold=None):
        answer = _supposed(each, rule, after, mode, latencies)
        if as_json:
            tell_json({"task": each.name, **_figures(answer)})
        else:
            tell("\n".join(_answer(each.name, answer)))
    say = note if as_json else tell
    say("of the uniform stratum alone: other tickets of a log are no fair sample")
    return 0


def _supposed(
    each: Logged,
    rule: Mapping[str, str | float] | None,
    after: ArbitrationRule | None,
    mode: Supposed,
    latencies: Prices | None,
) -> WhatIf:
    task = each.task if rule is None else _with_rule(each, rule)
    calibration = each.calibration()
    if task.rule.kind == "calibrated" and calibration is None:
        raise ConfigError(f"{each.name}: there is no calibration yet; run `streamer calibrate`")
    configured = rule_after(task, calibration)
    after = after or arbitration_rule(configured.kind, configured.alpha)
    return what_if(each.judged(calibration), rule_before(task, calibration), after, mode, latencies)


def _with_rule(each: Logged, rule: Mapping[str, str | float]) -> Task:
    raw = each.task.model_dump(by_alias=True)
    try:
        return Task.model_validate(raw | {"rule": dict(rule)})
    except ValidationError as error:
        written = {"rule": dict(rule)}
        raise explained("--rule", error, Task, "docs/configuration.md", written) from None


def _calibrations(settings: Settings, files: Sequence[Path]) -> dict[str, Calibration]:
    named = [
        settings.path(task.calibration) for task in settings.tasks.values() if task.calibration
    ]
    calibrations = {}
    for path in (*files, *(path for path in named if path.exists())):
        try:
            calibration = Calibration.from_json(path.read_bytes())
        except OSError as error:
            raise ConfigError(
                f"can't read {path}: {error.strerror}; correct --calibration"
            ) from None
        except (ValueError, TypeError, KeyError):
            raise ConfigError(f"{path} is no calibration; correct --calibration") from None
        calibrations[calibration.version] = calibration
    return calibrations


def _routings(settings: Settings, folders: Sequence[Path]) -> dict[str, Routing]:
    named = [settings.path(task.segments) for task in settings.tasks.values() if task.segments]
    routings = [read_routing("--segments", folder) for folder in (*folders, *named)]
    return {routing.version: routing for routing in routings}


def _told(replayed: Replayed) -> Iterator[str]:
    for difference in replayed.differences[:SHOWN]:
        yield _difference(difference)
    if len(replayed.differences) > SHOWN:
        yield f"... and {len(replayed.differences) - SHOWN} more"
    for why, differences in replayed.otherwise.items():
        yield f"{_decisions(differences)} decided otherwise since {SINCE}: {why}"
        for difference in differences[:SHOWN]:
            yield f"  {_difference(difference)}"
        if len(differences) > SHOWN:
            yield f"  ... and {len(differences) - SHOWN} more"
    for why, count in replayed.skipped.items():
        yield f"{count} records not decided again: {why}"
    wrong = {"ballot": set[str](), "verdict": set[str]()}
    for each in replayed.differences:
        wrong[each.kind].add(each.decision_id)
    for kind, count in (("ballot", replayed.ballots), ("verdict", replayed.verdicts)):
        yield f"{count} {kind}s decided again, {len(wrong[kind])} decisions differ"


def _decisions(differences: Sequence[Difference]) -> str:
    count = len({each.decision_id for each in differences})
    return "1 decision" if count == 1 else f"{count} decisions"


def _difference(difference: Difference) -> str:
    return clean(
        f"{difference.task} {difference.decision_id}: {difference.kind}'s {difference.field} is"
        f" {difference.logged!r} in the log and {difference.found!r} now"
    )


def _answer(task: str, answer: WhatIf) -> Iterator[str]:
    yield f"{task}, {answer.mode}, {answer.tickets} tickets"
    yield f"  coverage     {answer.coverage}"
    yield f"  fidelity     {answer.fidelity}"
    yield f"  judge rate   {answer.judge_rate}"
    if answer.corrects:
        yield f"  corrections  {answer.corrections}"
    if answer.hedge is not None:
        yield f"  waste        {answer.hedge.waste:.3f} of the judge's time"
        yield (
            f"  p99          {answer.hedge.p99:.3f} s of deferred tickets, simulated;"
            f" {answer.hedge.p99_sequential:.3f} s in mode sequential"
        )


def _figures(answer: WhatIf) -> dict[str, Any]:
    shares = {
        "coverage": answer.coverage,
        "fidelity": answer.fidelity,
        "judge_rate": answer.judge_rate,
        "corrections": answer.corrections,
    }
    told = {name: {**asdict(share), "interval": share.interval} for name, share in shares.items()}
    return {"mode": answer.mode, "tickets": answer.tickets, **told, "hedge": answer.hedge}
