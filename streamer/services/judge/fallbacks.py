"""What stands in for verdicts while the judge may not be asked: the workers' own labels."""

from collections.abc import Sequence

from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from streamer.records.labelset import LabelSet
from streamer.records.log import VerdictLog
from streamer.records.review import Review
from streamer.services.judge.judge_task import JudgeTask
from streamer.services.judge.verdicts import VERIFIED


class Fallbacks:
    """`Results` of N requests of one task and label set. `at` is the time as records have it."""

    def __init__(
        self, task: JudgeTask, label_set: LabelSet, requests: Sequence[JudgeRequest], at: str
    ) -> None:
        self._task = task
        self._label_set = label_set
        self._requests = requests
        self._at = at
        self.labels = tuple(map(self._label, requests))

    @staticmethod
    def stands_in(request: JudgeRequest) -> bool:
        """Whether the workers' label may be published instead.

        What no worker has a label for must wait, and so may audits and a backfill's old tickets.
        """
        live = request.purpose != "audit" and request.backfill is None
        return live and request.candidate is not None

    def published(self, row: int) -> Label | None:
        """See `Results.published`."""
        return self.labels[row]

    def review(self, row: int) -> Review | None:
        """See `Results.review`: nobody was unsure."""
        return None

    def log(self, row: int) -> VerdictLog:
        """See `Results.log`."""
        request = self._requests[row]
        return VerdictLog(
            decision_id=request.decision_id,
            ticket_id=request.ticket.id,
            task=request.task,
            label_set=request.label_set,
            at=self._at,
            purpose=request.purpose,
            uniform=request.uniform,
            judge=None,
            vector=None,
            candidate=request.candidate,
            after=self._task.after,
            published=request.candidate,
            source="fallback",
            missing="budget",
        )

    def _label(self, request: JudgeRequest) -> Label:
        return Label(
            ticket_id=request.ticket.id,
            task=request.task,
            label=request.candidate or "",
            confidence=self._confidence(request),
            source="fallback",
            revision=VERIFIED if request.purpose == "verify" else request.revision,
            final=True,
            votes=request.ballot.votes,
            rule=request.rule,
            calibration=request.calibration,
            label_set=request.label_set,
            decision_id=request.decision_id,
            position=request.position,
            created_at=request.created_at,
            decided_at=self._at,
            segment=request.segment,
        )

    def _confidence(self, request: JudgeRequest) -> float | None:
        """The workers' mean probability of their label, where the request has it."""
        place = self._label_set.index.get(request.candidate or "")
        known = request.ensemble
        if place is None or known is None or len(known) != len(self._label_set):
            return None
        return known[place]
