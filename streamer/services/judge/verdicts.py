"""What the judge said of some requests, ready to be written into records."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamer.decide.arbitration import Arbitration, arbitrate, quantised
from streamer.decide.distributions import checked
from streamer.decide.predictions import ABSTAINED
from streamer.decide.rounding import rounded
from streamer.judging.judge import JudgeScores
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label, Verdict
from streamer.records.labelset import LabelSet
from streamer.records.log import VerdictLog
from streamer.records.review import Review
from streamer.services.judge.judge_task import JudgeTask

VERIFIED = 1
"""The revision of a label after the judge has looked at it."""


class Verdicts:
    """The judge's answer to N requests of one task and label set.

    `judge` is its version, `at` the time as records have it. `labels` are those that stand by the
    rule after the judge, whether or not they are published. All methods take a request's row.
    """

    def __init__(
        self,
        task: JudgeTask,
        label_set: LabelSet,
        judge: str,
        requests: Sequence[JudgeRequest],
        scores: JudgeScores,
        now: str,
    ) -> None:
        self._task = task
        self._label_set = label_set
        self._judge = judge
        self._requests = requests
        self._at = now
        self._truncated = scores.truncated
        self._coverage = None if scores.coverage is None else rounded(scores.coverage)
        calibration = task.calibrated(label_set.version)
        self._calibration = None if calibration is None else calibration.version
        self._known = scores.known
        verdicts = quantised(scores.probabilities)
        self._vectors = rounded(verdicts)
        self._arbitration: Arbitration = arbitrate(
            task.rule,
            verdicts,
            calibration.judge.temperature if calibration is not None and scores.known else None,
            self._candidates(),
            self._ensembles(),
        )
        self._confidence = rounded(self._arbitration.confidence)
        self._own_confidence = rounded(self._arbitration.own_confidence)
        self.labels = tuple(self._label(row) for row in range(len(requests)))

    @property
    def judge(self) -> str:
        """The version that answered."""
        return self._judge

    @property
    def coverage(self) -> NDArray[np.float64] | None:
        """[N]: the share of its probability that a language model gave to the labels."""
        return self._coverage

    @property
    def covered(self) -> int:
        """How many of them have enough of it."""
        rows = range(len(self._requests))
        return sum(self._task.covered(self._covered(row)) for row in rows)

    def published(self, row: int) -> Label | None:
        """The label, unless it is an audit's, or a person is asked instead.

        A verification has its label in any case: without it revision 0 would never be final.
        """
        purpose = self._requests[row].purpose
        held = purpose == "audit" or (purpose == "decide" and self._unsure(row))
        return None if held else self.labels[row]

    def agreed(self, row: int) -> bool | None:
        """Whether the judge's own label is the workers'; None where they have none."""
        candidate = self._requests[row].candidate
        if candidate is None:
            return None
        return self._label_set.index.get(candidate) == int(self._arbitration.judged[row])

    def review(self, row: int) -> Review | None:
        """The question to a person, where the judge is too unsure; None for an audit."""
        request = self._requests[row]
        if request.purpose == "audit" or not self._unsure(row):
            return None
        return Review(
            ticket=request.ticket,
            task=request.task,
            labels=self._label_set.labels,
            label_set=request.label_set,
            reason="unsure",
            label=self.labels[row].label,
            confidence=float(self._own_confidence[row]),
            votes=request.ballot.votes,
            judge=self._judge,
            decision_id=request.decision_id,
            position=request.position,
            at=self._at,
        )

    def log(self, row: int) -> VerdictLog:
        """The log of the verdict, with what is published of it."""
        request, published = self._requests[row], self.published(row)
        return VerdictLog(
            decision_id=request.decision_id,
            ticket_id=request.ticket.id,
            task=request.task,
            label_set=request.label_set,
            at=self._at,
            purpose=request.purpose,
            uniform=request.uniform,
            judge=self._judge,
            vector=tuple(self._vectors[row].tolist()),
            candidate=request.candidate,
            after=self._task.after,
            published=None if published is None else published.label,
            source=None if published is None else published.source,
            calibration=self._calibration,
            coverage=self._covered(row),
            truncated=bool(self._truncated[row]),
        )

    def _label(self, row: int) -> Label:
        request, name = self._requests[row], self._name(row)
        verifies = request.purpose == "verify"
        verdict: Verdict = "confirmed" if name == request.candidate else "corrected"
        return Label(
            ticket_id=request.ticket.id,
            task=request.task,
            label=name,
            confidence=float(self._confidence[row]) if self._known else None,
            source=self._arbitration.source(row),
            revision=VERIFIED if verifies else request.revision,
            final=True,
            votes=request.ballot.votes,
            rule=request.rule,
            calibration=self._calibration or request.calibration,
            label_set=request.label_set,
            decision_id=request.decision_id,
            position=request.position,
            created_at=request.created_at,
            decided_at=self._at,
            judge=self._judge,
            after=self._task.after,
            verdict=verdict if verifies else None,
            backfill=request.backfill,
            segment=request.segment,
        )

    def _unsure(self, row: int) -> bool:
        # People are asked about what is new: an old ticket they may have answered long ago.
        if self._requests[row].backfill is not None or not self._known:
            return False
        return self._task.unsure(float(self._own_confidence[row]), self._covered(row))

    def _covered(self, row: int) -> float | None:
        return None if self._coverage is None else float(self._coverage[row])

    def _name(self, row: int) -> str:
        return self._label_set.labels[int(self._arbitration.label_ids[row])]

    def _candidates(self) -> NDArray[np.int64]:
        index = self._label_set.index
        named = [index.get(request.candidate or "", ABSTAINED) for request in self._requests]
        return np.array(named, np.int64)

    def _ensembles(self) -> NDArray[np.float64]:
        ensembles = np.zeros((len(self._requests), len(self._label_set)))
        for row, request in zip(ensembles, self._requests, strict=True):
            row[:] = _distribution(request.ensemble, len(row))
        return ensembles


def _distribution(given: Sequence[float] | None, size: int) -> NDArray[np.float64]:
    """What is no distribution counts as unknown: one odd request must not stop the stream."""
    if given is None or len(given) != size:
        return np.zeros(size)
    try:
        return np.asarray(checked(np.array([given], np.float64))[0])
    except (ValueError, TypeError):
        return np.zeros(size)
