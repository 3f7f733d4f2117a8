"""What came of asking a task's workers about some tickets."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.decide.decision import Decision
from streamer.decide.predictions import Predictions
from streamer.records.label import Rule, Segmented


@dataclass(frozen=True, slots=True)
class Provenance:
    """The rule before the judge, the version of the calibration, and the segment, where there are
    any.
    """

    rule: Rule
    calibration: str | None = None
    segment: Segmented | None = None


OutagePolicy = Literal["wait", "judge", "fallback"]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class WorkerVotes:
    """One worker at the vote: what it answered, or why it did not.

    `raw` is its answer before the temperature, rounded as it was decided on.
    """

    worker: str
    version: str | None
    predictions: Predictions
    raw: Predictions
    absent: str | None = None

    def __getitem__(self, rows: Rows) -> "WorkerVotes":
        return WorkerVotes(
            self.worker, self.version, self.predictions[rows], self.raw[rows], self.absent
        )


@dataclass(frozen=True, slots=True)
class VoteResult:
    """The outcome for some of the tickets asked about.

    `rows` [n] are their rows among those; `worker_votes` and `decision` are about these rows, in
    this order. `outage` says that too many workers were out for any label to stand; `stale`, that
    some answered in another version than the one that was calibrated. `rule_index` [n] says of each
    ticket which of the `provenances` its decision has. `audit_votes` are those of workers asked
    for the uniform stratum only, and had no say. Without worker votes the judge comes first.
    """

    rows: Rows
    worker_votes: tuple[WorkerVotes, ...]
    decision: Decision
    outage: bool
    provenances: tuple[Provenance, ...]
    rule_index: Rows
    audit_votes: tuple[WorkerVotes, ...] = ()
    stale: bool = False

    def __getitem__(self, rows: Rows) -> "VoteResult":
        """Some of these tickets, by their rows in here."""
        worker_votes = tuple(votes[rows] for votes in self.worker_votes)
        audit_votes = tuple(votes[rows] for votes in self.audit_votes)
        return replace(
            self,
            rows=self.rows[rows],
            worker_votes=worker_votes,
            decision=self.decision[rows],
            rule_index=self.rule_index[rows],
            audit_votes=audit_votes,
        )

    def provenance(self, row: int) -> Provenance:
        """That of the ticket in this row."""
        index: int = self.rule_index.item(row)
        return self.provenances[index]
