"""Labels and records of the labels topic."""

from dataclasses import replace

from streamer.client import LabelRecord
from streamer.records.label import Label, Position, Rule, Vote

LABEL = Label(
    ticket_id="a/b",
    task="topic",
    label="billing",
    confidence=0.9,
    source="workers",
    revision=0,
    final=True,
    votes=(Vote("one", "1", "billing", 0.9),),
    rule=Rule("majority", 2, 2),
    calibration=None,
    label_set="abc",
    decision_id="0" * 32,
    position=Position("tickets", "tickets", 0, 5),
    created_at="2026-01-31T08:00:00.000Z",
    decided_at="2026-01-31T08:00:00.100Z",
)


def at(offset: int, revision: int = 0, label: str = "billing") -> Label:
    return replace(
        LABEL, position=replace(LABEL.position, offset=offset), revision=revision, label=label
    )


def record(label: Label | None, value: bytes | None = b"{}") -> LabelRecord:
    return LabelRecord("a/b/topic", label, value, 0, 0, 0)


def deletion(offset: int, partition: int | None = None) -> LabelRecord:
    where = None if partition is None else ("tickets", partition)
    return replace(record(None, None), deleted_at=offset, deleted_in=where)
