"""What a task's calibration and its segments say its shares should be."""

from itertools import combinations
from pathlib import Path

from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.decide.third_worker import asked_first
from streamer.monitoring.expected import Expected
from streamer.monitoring.expected_segments import ExpectedSegments
from streamer.records.calibration import Calibration
from streamer.records.segments_folder import read_segments
from streamer.records.times import milliseconds
from streamer.services.learned.routing_file import read_routing
from streamer.services.learned.rules import load_calibration, rule_before


def expectations(settings: Settings) -> dict[str, Expected]:
    """What to expect of each task, as far as its files say it; raises `ConfigError`."""
    by_task = {}
    for name, task in settings.tasks.items():
        if task.calibration is not None:
            path = settings.path(task.calibration)
            by_task[name] = expected(task, load_calibration(name, task, path))
        if task.segments is not None:
            key, folder = f"tasks.{name}.segments", settings.path(task.segments)
            by_task[name] = routed(by_task.get(name, Expected()), key, folder)
    return by_task


def routed(base: Expected, key: str, folder: Path) -> Expected:
    """With the segments of a version, which lie in its folder; raises `ConfigError`, which names
    the key.

    Each segment has a route of its own: what was expected of one way for all, its promise apart,
    is to be seen anew, from the first tickets on that this version routed.
    """
    segments = read_segments(folder).segments
    total = max(sum(segment.size for segment in segments), 1)
    return Expected(
        fidelity=base.fidelity,
        since_ms=base.since_ms,
        segments=ExpectedSegments(
            version=read_routing(key, folder).version,
            names={str(segment.number): segment.name for segment in segments},
            shares={str(segment.number): segment.size / total for segment in segments},
        ),
    )


def expected(task: Task, calibration: Calibration) -> Expected:
    """What this calibration says of the task, as it is served.

    Of another rule than the calibrated one it knows neither the coverage nor the labels. A third
    worker that is asked only where the first two differ says nothing about its agreement at large.
    """
    calibrated, reference = task.rule.kind == "calibrated", calibration.reference
    rate, promise = calibration.judge_rate.value, calibration.guarantee
    promised = (
        calibrated and promise is not None and promise.holds and promise.measure == "fidelity"
    )
    agreement = {} if reference is None else reference.agreement
    first = asked_first(rule_before(task, calibration))
    asked = [worker.model for worker in task.workers[:first]]
    pairs = {f"{first}/{second}" for first, second in combinations(asked, 2)}
    return Expected(
        coverage=1 - rate if calibrated and rate is not None else None,
        fidelity=promise.at_least if promised and promise is not None else None,
        agreement={pair: share for pair, share in agreement.items() if pair in pairs},
        labels=reference.labels if calibrated and reference is not None else None,
        source=f"calibration {calibration.version}" if calibrated and reference else None,
        since_ms=int(milliseconds(calibration.made_at) or 0),
        calibration=calibration.version if promised else None,
    )
