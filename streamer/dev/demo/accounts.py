"""Who still owes what: every record played, and the outcomes that came of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streamer.dev.demo.scenario import Played

PartitionOffset = tuple[int, int]
"""Partition and offset of a record on the tickets topic."""


@dataclass(frozen=True, slots=True)
class PlayedOutcome:
    """What became of one record for one task ("" for a record as a whole).

    `kind` is a label's source, or dead letter; `detail` is the label, or the reason. `at_ms` is
    the time of the record that says so.
    """

    position: PartitionOffset
    task: str
    kind: str
    detail: str
    at_ms: int


class Accounts:
    """Outcomes against expectations, whichever comes first. Deletions go by key, not position."""

    def __init__(self, tasks: Iterable[str]) -> None:
        self._tasks = tuple(tasks)
        self._sent: dict[PartitionOffset, tuple[Played, int]] = {}
        self._found: dict[tuple[PartitionOffset, str], PlayedOutcome] = {}
        self._deleted: dict[str, set[str]] = {}
        self._owed: set[tuple[PartitionOffset, str]] = set()
        self._deletions: set[tuple[str, str]] = set()
        self.repeats = 0
        self.differing: list[tuple[PlayedOutcome, PlayedOutcome]] = []

    def sent(self, position: PartitionOffset, played: Played, at_ms: int) -> None:
        """A record lies on the topic since `at_ms`."""
        self._sent[position] = (played, at_ms)
        if played.fate == "deleted":
            key = played.key.decode()
            gone = self._deleted.get(key, set())
            self._deletions |= {(key, task) for task in self._tasks if task not in gone}
            return
        tasks = played.gold if played.fate == "labels" else ("",)
        self._owed |= {(position, task) for task in tasks if (position, task) not in self._found}

    def found(self, outcome: PlayedOutcome) -> None:
        """An outcome was published."""
        key = (outcome.position, outcome.task)
        first = self._found.setdefault(key, outcome)
        self._owed.discard(key)
        if first is not outcome:
            self.repeats += 1
            if (first.kind, first.detail) != (outcome.kind, outcome.detail):
                self.differing.append((first, outcome))

    def deleted(self, ticket_id: str, task: str) -> None:
        """A label was deleted."""
        self._deleted.setdefault(ticket_id, set()).add(task)
        self._deletions.discard((ticket_id, task))

    @property
    def open(self) -> int:
        """Outcomes still owed."""
        return len(self._owed) + len(self._deletions)

    @property
    def records(self) -> int:
        """Records played so far."""
        return len(self._sent)

    def unaccounted(self) -> list[str]:
        """What is missing, or is other than it has to be, in words."""
        missing = [f"no outcome for {self._name(position, task)}" for position, task in self._owed]
        missing += [f"no deletion of {key}/{task}" for key, task in self._deletions]
        return sorted(missing) + sorted(self._wrong())

    def outcomes(self) -> list[tuple[Played, PlayedOutcome, int]]:
        """Everything found for records of ours: record, outcome, milliseconds in between."""
        return [
            (*self._pair(outcome), outcome.at_ms - self._sent[outcome.position][1])
            for outcome in self._found.values()
            if outcome.position in self._sent
        ]

    def ledger(self) -> Mapping[str, int]:
        """How many outcomes of each kind: sources of labels, reasons of dead letters, deletions."""
        kinds: Counter[str] = Counter()
        for _, outcome, _ in self.outcomes():
            kinds[outcome.kind if outcome.task else f"dead letter: {outcome.detail}"] += 1
        gone = sum(map(len, self._deleted.values()))
        return {**kinds, **({"deletion": gone} if gone else {})}

    def _pair(self, outcome: PlayedOutcome) -> tuple[Played, PlayedOutcome]:
        return self._sent[outcome.position][0], outcome

    def _name(self, position: PartitionOffset, task: str) -> str:
        key = self._sent[position][0].key.decode("utf-8", "replace")
        return f"{key}, task {task or 'none'}, partition {position[0]}, offset {position[1]}"

    def _wrong(self) -> Iterable[str]:
        for played, outcome, _ in self.outcomes():
            expected = played.gold if played.fate == "labels" else ("",)
            if outcome.task not in expected:
                what = f"{outcome.kind} {outcome.detail}"
                yield f"unexpected {what} for {self._name(outcome.position, outcome.task)}"
