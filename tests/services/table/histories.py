"""Random histories of one ticket and task: messages, votes, verdicts, answers, deletions."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from streamer.records.identity import TicketIdentity
from streamer.records.label import DELETED_AT, DELETED_IN, Label, Position, Rule

TASK, SOURCE, TOPIC = "intent", "support", "tickets"
LABELS = ("billing", "bug", "question")

Header = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Raw:
    """A record of the labels topic, as a test makes one."""

    value: bytes | None
    headers: tuple[Header, ...] = ()
    key: bytes = b"T-1/intent"
    topic: str = "tickets.labels"
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_700_000_000_000


def label(
    offset: int, revision: int = 0, name: str = "billing", at: int = 0, **other: object
) -> Label:
    """A label of the ticket's message at `offset`; `at` tells repeats apart."""
    position = Position(SOURCE, TOPIC, 0, offset)
    known: dict[str, object] = {
        "ticket_id": "T-1",
        "task": TASK,
        "label": name,
        "confidence": None,
        "source": "person" if revision == 2 else "judge" if revision else "workers",
        "revision": revision,
        "final": True,
        "votes": (),
        "rule": Rule("majority", 2, 3),
        "calibration": None,
        "label_set": "0123456789ab",
        "decision_id": TicketIdentity(SOURCE, TOPIC, 0, offset).decision_id(TASK),
        "position": position,
        "created_at": "2026-01-31T08:00:00.000Z",
        "decided_at": f"2026-01-31T08:{at // 60 % 60:02d}:{at % 60:02d}.000Z",
    }
    return Label(**(known | other))  # type: ignore[arg-type]  # its own fields, by name


def deletion(offset: int) -> Raw:
    """The deletion of the ticket at an offset of the input."""
    where = f"{TOPIC}/0".encode()
    return Raw(None, ((DELETED_AT, str(offset).encode()), (DELETED_IN, where)))


@dataclass
class History:
    """What the services write about one ticket, each in a random order that can really happen."""

    random: random.Random
    labels: tuple[str, ...] = LABELS
    offset: int = 0
    written: int = 0
    late: list[Raw] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)

    def records(self, steps: int) -> Iterator[Raw]:
        """What is written, record by record; people see what was written before."""
        for _ in range(steps):
            self.offset += self.random.randint(1, 3)
            kind = self.random.random()
            if kind < 0.5 or not self.messages:
                self.messages.append(self.offset)
                self.late += self._decided(self.offset)
            elif kind < 0.75:
                yield self._answer(self.random.choice(self.messages[-2:]))
            elif kind < 0.85:
                yield self._answer(self.random.choice(self.messages[-2:]), released=True)
            elif kind < 0.92:
                self.late.append(deletion(self.offset))
            while self.late and self.random.random() < 0.6:
                yield self._some()
        while self.late:
            yield self._some()

    def _decided(self, offset: int) -> list[Raw]:
        first = self._label(offset, 0)
        kind = self.random.random()
        if kind < 0.2:
            return []  # a review, which only a person answers
        found = [first, self._label(offset, 1)] if kind < 0.5 else [first]
        return [*found, self.random.choice(found)] if kind > 0.8 else found

    def _some(self) -> Raw:
        """One of the next few, since batches are in flight beside each other and repeat."""
        found = self.late.pop(self.random.randrange(min(3, len(self.late))))
        if self.random.random() < 0.1:
            self.late.append(found)
        return found

    def _answer(self, offset: int, released: bool = False) -> Raw:
        return self._label(offset, 2, released=released)

    def _label(self, offset: int, revision: int, **other: object) -> Raw:
        self.written += 1
        name = self.random.choice(self.labels)
        return Raw(label(offset, revision, name, self.written, **other).to_json())
