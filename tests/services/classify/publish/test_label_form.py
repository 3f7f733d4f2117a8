from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.decision import Decision
from streamer.decide.predictions import Predictions
from streamer.decide.vote_result import Provenance, WorkerVotes
from streamer.observe.tracing import Tracing
from streamer.records import Label, LabelSet, Position, Rule, Ticket, TicketIdentity, Vote
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.publish.ballots import Ballots
from streamer.services.classify.publish.label_form import LabelForm
from tests.services.records import Rec

NAMES = ("billing", "100 %d %b", 'say "hi" \\ \x00\x01', "ünï")
LABELS = LabelSet(NAMES)
RULE = Rule("majority", 2, 2)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
rows = st.tuples(texts, st.integers(0, 3), st.integers(-1, 3), st.floats(0, 1, width=32))


def votes(name: str, label_ids: Sequence[int], share: Sequence[float]) -> WorkerVotes:
    probs = np.zeros((len(label_ids), len(LABELS)), np.float32)
    probs[np.arange(len(label_ids)), label_ids] = share
    predictions = Predictions(np.array(label_ids), probs)
    return WorkerVotes(name, "3", predictions, predictions)


@given(st.lists(rows, min_size=1, max_size=8), st.none() | texts)
def test_what_is_written_reads_back_as_the_same_label(
    tickets: list[tuple[str, int, int, float]], backfill: str | None
) -> None:
    label_ids, others = [code for _, code, _, _ in tickets], [other for _, _, other, _ in tickets]
    shares = [share for *_, share in tickets]
    arrivals = [arrival(id, offset) for offset, (id, *_) in enumerate(tickets)]
    nothing = Predictions.none(len(tickets))
    worker_votes = [
        votes("a", label_ids, shares),
        votes("b", others, shares),
        WorkerVotes("c", None, nothing, nothing),
    ]
    decision = Decision(np.array(label_ids), np.array(shares))
    form = LabelForm("shop", "intent", LABELS, [Provenance(RULE)], backfill=backfill)
    rule_index = np.zeros(len(label_ids), np.int64)
    for _ in range(2):
        written = form.write(
            arrivals, decision, Ballots(worker_votes, LABELS), rule_index, "workers", True, "then"
        )
        assert [Label.from_json(value) for value in written] == [
            replace(expected(id, offset, code, other, share), backfill=backfill)
            for offset, (id, code, other, share) in enumerate(tickets)
        ]


def arrival(id: str, offset: int) -> Arrival:
    record = Rec(b"{}", None, offset)
    identity = TicketIdentity("shop", record.topic, record.partition, offset)
    trace = Tracing("test", 0.0).ticket([], identity.trace_id, record)
    return Arrival(record, Ticket(id, "text", f"{id} o'clock"), identity.digest, trace, 0.0)


def expected(id: str, offset: int, code: int, other: int, share: float) -> Label:
    rounded = round(float(np.float64(np.float32(share))), 5)
    record = Rec(b"{}", None, offset)
    identity = TicketIdentity("shop", record.topic, record.partition, offset)
    second = (
        Vote("b", "3", None, None, "unusable")
        if other < 0
        else Vote("b", "3", NAMES[other], rounded)
    )
    return Label(
        ticket_id=id,
        task="intent",
        label=NAMES[code],
        confidence=rounded,
        source="workers",
        revision=0,
        final=True,
        votes=(
            Vote("a", "3", NAMES[code], rounded),
            second,
            Vote("c", None, None, None, "unusable"),
        ),
        rule=RULE,
        calibration=None,
        label_set=LABELS.version,
        decision_id=identity.decision_id("intent"),
        position=Position("shop", record.topic, record.partition, offset),
        created_at=f"{id} o'clock",
        decided_at="then",
    )
