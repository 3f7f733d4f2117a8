"""The ways that a task's tickets may take, made of its settings and the workers that answer."""

from collections.abc import Mapping, Sequence

from streamer.config.tasks import Task
from streamer.decide.calibrated import recorded_rule
from streamer.errors import ConfigError
from streamer.observe.metrics import Metrics
from streamer.records.calibration import Calibration
from streamer.records.label import Segmented
from streamer.records.routing import Served, TaskRoutes
from streamer.records.segments import GENERAL
from streamer.services import routes
from streamer.services.judge_first import JudgeFirst
from streamer.services.provenance import Provenance
from streamer.services.routes import Routes
from streamer.services.rules import rule_before
from streamer.services.seating import Seating
from streamer.services.segment_router import SegmentRouter
from streamer.services.voting import Voting
from streamer.workers.gathered import Gathered
from streamer.workers.voter import Voter
from streamer.workers.worker import Worker


class Ways:
    """Makes the ways of one task; `workers` are its own, in the order of its settings."""

    def __init__(
        self,
        task: Task,
        workers: Sequence[Worker],
        metrics: Metrics,
        calibration: Calibration | None = None,
    ) -> None:
        self._task = task
        self._workers = tuple(workers)
        self._metrics = metrics
        self._calibration = calibration

    def configured(self) -> Voting:
        """All workers under the task's own rule."""
        return self._voting(self._workers, None)

    def _voting(self, workers: Sequence[Voter], segment: Segmented | None) -> Voting:
        known = self._calibration
        models = {} if known is None else known.models
        rule = rule_before(self._task, known)
        described = rule.described([worker.model for worker in workers])
        return Voting(
            workers,
            rule,
            self._task.on_outage,
            Seating(self._metrics, {name: one.temperature for name, one in models.items()}),
            Provenance(described, None if known is None else known.version, segment),
            {name: one.version for name, one in models.items() if one.version is not None},
        )

    def routed(self, found: TaskRoutes, numbers: Sequence[int], router: SegmentRouter) -> Routes:
        """A way for every segment that has one, by its place among the `numbers`.

        Raises `ConfigError` for a rule that this version does not know.
        """
        workers = [Gathered(worker) for worker in self._workers]
        ways = {
            place: self._way(
                workers, found.ways[str(number)], found.versions, router.segmented(place)
            )
            for place, number in enumerate(numbers)
            if str(number) in found.ways
        }
        return Routes(router, self._voting(workers, router.segmented(GENERAL)), ways)

    def _way(
        self,
        workers: Sequence[Voter],
        way: Served,
        versions: Mapping[str, str],
        segment: Segmented,
    ) -> routes.Served:
        mine = [worker for name in way.workers for worker in workers if worker.model == name]
        others = [worker for worker in workers if worker not in mine]
        seating = Seating(self._metrics, way.temperatures)
        provenance = Provenance(way.rule, None, segment)
        if not mine:
            return JudgeFirst(seating, provenance, others)
        try:
            rule = recorded_rule(way.rule, way.workers)
        except ValueError as error:
            raise ConfigError(f"segment {segment.number}: {error}") from None
        return Voting(mine, rule, self._task.on_outage, seating, provenance, versions, others)
