"""Log records of what was decided before the judge."""

from streamer.decide.rounding import rounded
from streamer.records.log import BallotLog, ShadowVote
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.disposed import Disposed
from streamer.services.classify.publish.ballots import Ballots
from streamer.services.classify.task import ClassifyTask


class Logs:
    """Writes the log of a task's vote result; `source` is the input's name, `at` the time."""

    def __init__(
        self, source: str, task: ClassifyTask, disposed: Disposed, ballots: Ballots, now: str
    ) -> None:
        self._source = source
        self._task = task
        self._disposed = disposed
        self._ballots = ballots
        self._at = now
        self._confidence = rounded(disposed.disposition.published.confidence)

    def make(self, arrival: Arrival, row: int, shadows: tuple[ShadowVote, ...] = ()) -> BallotLog:
        """The log of the ticket in this row of the vote result."""
        task, disposed, disposition = self._task, self._disposed, self._disposed.disposition
        label = self._name(disposition.published.label_ids[row])
        confidence = self._confidence[row]
        has_confidence = label is not None and confidence == confidence
        provenance = disposed.vote_result.provenance(row)
        return BallotLog(
            decision_id=arrival.decision_id(task.name),
            ticket_id=arrival.ticket.id,
            task=task.name,
            label_set=task.label_set.version,
            position=arrival.position(self._source),
            at=self._at,
            uniform=bool(disposed.sample.uniform[row]),
            ballot=self._ballots.ballot_on(row),
            served=len(disposed.vote_result.worker_votes),
            rule=provenance.rule,
            calibration=provenance.calibration,
            label=label,
            confidence=float(confidence) if has_confidence else None,
            source=disposition.source(row),
            candidate=self._name(disposition.candidate.label_ids[row]),
            deferred=disposition.why(row),
            suspended=disposed.suspended,
            mode=task.policy.mode,
            shadows=shadows,
            segment=provenance.segment,
            final=label is not None and bool(disposition.final[row]),
        )

    def _name(self, label_id: int) -> str | None:
        return self._task.label_set.labels[label_id] if label_id >= 0 else None
