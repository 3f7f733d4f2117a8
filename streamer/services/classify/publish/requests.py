"""Judge requests: what the judge and the final label need to know of a ticket."""

from collections.abc import Sequence

from streamer.decide.rounding import rounded
from streamer.records.judge_request import Follower, JudgeRequest, Purpose
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.disposed import Disposed
from streamer.services.classify.publish.ballots import Ballots
from streamer.services.classify.task import ClassifyTask

REVISIONS: dict[Purpose, int] = {"decide": 0, "verify": 1, "audit": 0}


class Requests:
    """Writes the judge requests of one vote result of one task; `source` is the input's name."""

    def __init__(
        self, source: str, task: ClassifyTask, disposed: Disposed, ballots: Ballots
    ) -> None:
        self._source = source
        self._task = task
        self._disposed = disposed
        self._ballots = ballots

    def make(
        self,
        arrival: Arrival,
        row: int,
        purpose: Purpose,
        traceparent: str,
        followers: Sequence[Follower] = (),
    ) -> JudgeRequest:
        """The request for the ticket in this row of the vote result."""
        task, vote_result = self._task, self._disposed.vote_result
        candidate = self._disposed.disposition.candidate
        label_id = int(candidate.label_ids[row])
        provenance = vote_result.provenance(row)
        ensemble = candidate.ensemble if task.needs_ensemble else None
        return JudgeRequest(
            ticket=arrival.ticket,
            task=task.name,
            label_set=task.label_set.version,
            ballot=self._ballots.ballot_on(row),
            rule=provenance.rule,
            decision_id=arrival.decision_id(task.name),
            revision=REVISIONS[purpose],
            purpose=purpose,
            position=arrival.position(self._source),
            created_at=arrival.ticket.created_at,
            traceparent=traceparent,
            followers=tuple(followers),
            candidate=task.label_set.labels[label_id] if label_id >= 0 else None,
            ensemble=None if ensemble is None else tuple(rounded(ensemble[row]).tolist()),
            uniform=bool(self._disposed.sample.uniform[row]),
            accepted=bool(vote_result.decision.label_ids[row] >= 0),
            calibration=provenance.calibration,
            backfill=task.backfill,
            segment=provenance.segment,
        )
