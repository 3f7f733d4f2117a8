"""Log records of what was decided before the judge."""

from streamer.decide.disposition import Disposition
from streamer.decide.rounding import rounded
from streamer.records.log import BallotLog, Reason, ShadowVote
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.publish.ballots import Ballots
from streamer.services.classify.task import Task


class Logs:
    """Writes the log of one count of one task; `source` is the input's name, `at` the time."""

    def __init__(
        self, source: str, task: Task, plan: Disposition, ballots: Ballots, at: str
    ) -> None:
        self._source = source
        self._task = task
        self._plan = plan
        self._ballots = ballots
        self._at = at
        self._confidence = rounded(plan.published.confidence)

    def make(self, arrival: Arrival, place: int, shadows: tuple[ShadowVote, ...] = ()) -> BallotLog:
        """The log of the ticket at this place of the count."""
        task, plan = self._task, self._plan
        label, confidence = self._name(plan.published.label_ids[place]), self._confidence[place]
        known = label is not None and confidence == confidence
        fallback, provenance = bool(plan.fallback[place]), plan.count.provenance(place)
        return BallotLog(
            decision_id=arrival.decision_id(task.name),
            ticket_id=arrival.ticket.id,
            task=task.name,
            label_set=task.label_set.version,
            position=arrival.position(self._source),
            at=self._at,
            uniform=bool(plan.draws.uniform[place]),
            ballot=self._ballots.ballot_on(place),
            served=len(plan.count.worker_votes),
            rule=provenance.rule,
            calibration=provenance.calibration,
            label=label,
            confidence=float(confidence) if known else None,
            source=None if label is None else "fallback" if fallback else "workers",
            candidate=self._name(plan.own.label_ids[place]),
            deferred=self._deferred(label is None, fallback),
            suspended=plan.suspended,
            mode=task.policy.mode,
            shadows=shadows,
            segment=provenance.segment,
            final=label is not None and bool(plan.final[place]),
        )

    def _deferred(self, unpublished: bool, fallback: bool) -> Reason | None:
        if unpublished:
            return self._plan.deferred
        if fallback:
            return self._plan.stands_in
        return None

    def _name(self, code: int) -> str | None:
        return self._task.label_set.labels[code] if code >= 0 else None
