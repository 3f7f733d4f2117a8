"""The ways that a task's tickets may take, made of its settings and the workers that answer."""

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
from streamer.services.classify.route import routes
from streamer.services.classify.route.routes import Route, Routes
from streamer.services.classify.route.segment_router import SegmentRouter
from streamer.services.classify.vote.calibrated_rule import CalibratedRule
from streamer.services.classify.vote.judge_first import JudgeFirst
from streamer.services.classify.vote.voting import Voting
from streamer.services.learned.rules import rule_before
from streamer.workers.coalescing import CoalescingWorker
from streamer.workers.worker import Voter, Worker

Names = tuple[str, ...]


class RouteBuilder:
    """Makes the routes of one task; `workers` are its own, in the order of its settings.

    Each is asked through what `counted` makes of it.
    """

    def __init__(
        self,
        task: Task,
        workers: Sequence[Worker],
        counted: Callable[[Voter], Voter] = lambda worker: worker,
        calibration: Calibration | None = None,
    ) -> None:
        self._task = task
        self._workers = {worker.model: counted(worker) for worker in workers}
        self._coalescing = {worker.model: counted(CoalescingWorker(worker)) for worker in workers}
        self._calibration = calibration

    def configured(self) -> Voting:
        """All workers under the task's own rule."""
        workers, terms = list(self._workers.values()), self._configured(None)
        return Voting(workers, [terms], self._task.on_outage)

    def routed(self, found: TaskRoutes, numbers: Sequence[int], router: SegmentRouter) -> Routes:
        """A way for every segment that has one, by its place among the `numbers`.

        Ways of the same workers, whose rules differ in thresholds alone, are served together.
        Raises `ConfigError` for a rule that this version does not know.
        """
        general = self._configured(router.segmented(GENERAL))
        asked: dict[int, tuple[Names, CalibratedRule | Provenance]] = {
            GENERAL: (self._names, general)
        }
        for place, number in enumerate(numbers):
            if (way := found.ways.get(str(number))) is not None:
                terms = _terms(way, found.versions, router.segmented(place))
                asked[place] = (way.workers, terms)
        together: dict[Hashable, list[int]] = defaultdict(list)
        for place, (names, one) in asked.items():
            kind = alike(one.rule) if isinstance(one, CalibratedRule) else None
            together[names, kind].append(place)
        ways: dict[int, Route] = {}
        for places in together.values():
            served = self._served(asked[places[0]][0], [asked[place][1] for place in places])
            ways |= {place: Route(served, at) for at, place in enumerate(places)}
        return Routes(router, ways.pop(GENERAL), ways)

    @property
    def _names(self) -> Names:
        return tuple(self._workers)

    def _configured(self, segment: Segmented | None) -> CalibratedRule:
        known = self._calibration
        models = {} if known is None else known.models
        rule = rule_before(self._task, known)
        version = None if known is None else known.version
        return CalibratedRule(
            rule,
            Provenance(rule.described(self._names), version, segment),
            {name: one.temperature for name, one in models.items()},
            {name: one.version for name, one in models.items() if one.version is not None},
        )

    def _served(self, names: Names, asked: Sequence[CalibratedRule | Provenance]) -> routes.Decider:
        mine = [self._coalescing[name] for name in names]
        others: list[Voter] = [one for name, one in self._coalescing.items() if name not in names]
        terms = [one for one in asked if isinstance(one, CalibratedRule)]
        if not terms:
            at_once = [one for one in asked if isinstance(one, Provenance)]
            return JudgeFirst(at_once, others)
        return Voting(mine, terms, self._task.on_outage, others)


def _terms(
    way: RouteRecord, versions: Mapping[str, str], segment: Segmented
) -> CalibratedRule | Provenance:
    """What a way's tickets are decided by; a provenance alone where the judge comes first."""
    provenance = Provenance(way.rule, None, segment)
    if not way.workers:
        return provenance
    try:
        rule = recorded_rule(way.rule, way.workers)
    except ValueError as error:
        raise ConfigError(f"segment {segment.number}: {error}") from None
    return CalibratedRule(rule, provenance, way.temperatures, versions)
