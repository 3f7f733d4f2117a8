"""Any part of what came of asking the workers is whole."""

import numpy as np

from streamer.decide.decision import Decision
from streamer.decide.predictions import Predictions
from streamer.decide.vote_result import Provenance, VoteResult, WorkerVotes
from streamer.records.label import Rule

MAJORITY, CHOW = Provenance(Rule("majority", 2, 3)), Provenance(Rule("chow", 1, 3, alpha=0.5))


def votes(worker: str, label_ids: list[int]) -> WorkerVotes:
    raw = Predictions(np.array(label_ids), None)
    said = Predictions(np.array(label_ids) + 10, None)
    return WorkerVotes(worker, "7", said, raw, absent="timeout")


def test_some_tickets_keep_their_votes_their_labels_and_the_rule_that_decided() -> None:
    result = VoteResult(
        rows=np.array([5, 6, 8]),
        worker_votes=(votes("one", [0, 1, 2]), votes("two", [2, 1, 0])),
        decision=Decision(np.array([3, 4, 5]), np.array([0.3, 0.4, 0.5])),
        outage=True,
        provenances=(MAJORITY, CHOW),
        rule_index=np.array([0, 1, 0]),
        audit_votes=(votes("late", [1, 2, 1]),),
    )
    part = result[np.array([2, 1])]
    assert part.rows.tolist() == [8, 6]
    assert part.decision.label_ids.tolist() == [5, 4]
    assert part.decision.confidence.tolist() == [0.5, 0.4]
    assert [part.provenance(0), part.provenance(1)] == [MAJORITY, CHOW]
    said = [*part.worker_votes, *part.audit_votes]
    assert [each.raw.label_ids.tolist() for each in said] == [[2, 1], [0, 1], [1, 2]]
    assert [each.predictions.label_ids.tolist() for each in said] == [[12, 11], [10, 11], [11, 12]]
    assert [(each.worker, each.version, each.absent) for each in said] == [
        (name, "7", "timeout") for name in ("one", "two", "late")
    ]
    assert (part.outage, part.stale) == (True, False)
