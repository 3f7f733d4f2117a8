"""The routes that a task's tickets may take, made of its settings and the workers that answer."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence

from streamer.config.tasks import Task
from streamer.decide.calibrated import recorded_rule
from streamer.decide.thresholded_rule import alike
from streamer.decide.vote_result import Provenance
from streamer.errors import ConfigError
from streamer.records.calibration import Calibration
from streamer.records.label import Segmented
from streamer.records.routing import RouteRecord, TaskRoutes
from streamer.records.segments import GENERAL
from streamer.services.classify.route.routes import Decider, Route, Routes
from streamer.services.classify.route.segment_router import SegmentRouter
from streamer.services.classify.vote.calibrated_rule import CalibratedRule
from streamer.services.classify.vote.judge_first import JudgeFirst
from streamer.services.classify.vote.voting import Voting
from streamer.services.learned.rules import rule_before
from streamer.workers.coalescing import CoalescingWorker
from streamer.workers.worker import Worker, WorkerPort

Names = tuple[str, ...]


class RouteBuilder:
    """Makes the routes of one task; `workers` are its own, in the order of its settings.

    Each is asked through what `counted` makes of it.
    """

    def __init__(
        self,
        task: Task,
        workers: Sequence[Worker],
        counted: Callable[[WorkerPort], WorkerPort] = lambda worker: worker,
        calibration: Calibration | None = None,
    ) -> None:
        self._task = task
        self._workers = {worker.model: counted(worker) for worker in workers}
        self._coalescing = {worker.model: counted(CoalescingWorker(worker)) for worker in workers}
        self._calibration = calibration

    def configured(self) -> Voting:
        """All workers under the task's own rule."""
        workers = list(self._workers.values())
        return Voting(workers, [self._configured(None)], self._task.on_outage)

    def routed(
        self, task_routes: TaskRoutes, numbers: Sequence[int], router: SegmentRouter
    ) -> Routes:
        """A route for every segment that has one, by its index among the `numbers`.

        Routes of the same workers, whose rules differ in thresholds alone, are served together.
        Raises `ConfigError` for a rule that this version does not know.
        """
        general = self._configured(router.segmented(GENERAL))
        by_segment: dict[int, tuple[Names, CalibratedRule | Provenance]] = {
            GENERAL: (self._names, general)
        }
        for segment_id, number in enumerate(numbers):
            if (record := task_routes.ways.get(str(number))) is not None:
                rule = _calibrated(record, task_routes.versions, router.segmented(segment_id))
                by_segment[segment_id] = (record.workers, rule)
        alike_segments: dict[Hashable, list[int]] = defaultdict(list)
        for segment_id, (names, rule) in by_segment.items():
            kind = alike(rule.rule) if isinstance(rule, CalibratedRule) else None
            alike_segments[names, kind].append(segment_id)
        routes: dict[int, Route] = {}
        for segment_ids in alike_segments.values():
            names, _ = by_segment[segment_ids[0]]
            decider = self._decider(
                names, [by_segment[segment_id][1] for segment_id in segment_ids]
            )
            routes |= {
                segment_id: Route(decider, index) for index, segment_id in enumerate(segment_ids)
            }
        return Routes(router, routes.pop(GENERAL), routes)

    @property
    def _names(self) -> Names:
        return tuple(self._workers)

    def _configured(self, segment: Segmented | None) -> CalibratedRule:
        calibration = self._calibration
        models = {} if calibration is None else calibration.models
        rule = rule_before(self._task, calibration)
        version = None if calibration is None else calibration.version
        versions = {name: model.version for name, model in models.items()}
        return CalibratedRule(
            rule,
            Provenance(rule.described(self._names), version, segment),
            {name: model.temperature for name, model in models.items()},
            {name: version for name, version in versions.items() if version is not None},
        )

    def _decider(self, names: Names, rules: Sequence[CalibratedRule | Provenance]) -> Decider:
        workers = [self._coalescing[name] for name in names]
        others = [worker for name, worker in self._coalescing.items() if name not in names]
        calibrated = [rule for rule in rules if isinstance(rule, CalibratedRule)]
        if not calibrated:
            return JudgeFirst([rule for rule in rules if isinstance(rule, Provenance)], others)
        return Voting(workers, calibrated, self._task.on_outage, others)


def _calibrated(
    route: RouteRecord, versions: Mapping[str, str], segment: Segmented
) -> CalibratedRule | Provenance:
    """What a route's tickets are decided by; a provenance alone where the judge comes first."""
    provenance = Provenance(route.rule, None, segment)
    if not route.workers:
        return provenance
    try:
        rule = recorded_rule(route.rule, route.workers)
    except ValueError as error:
        raise ConfigError(f"segment {segment.number}: {error}") from None
    return CalibratedRule(rule, provenance, route.temperatures, versions)
