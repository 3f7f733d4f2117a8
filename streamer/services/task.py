"""A task as the classify service works on it."""

from dataclasses import dataclass, field

from streamer.records.label import Rule
from streamer.records.labelset import LabelSet
from streamer.services.arrival import Arrival
from streamer.services.intake import find
from streamer.services.voting import Voting


@dataclass(frozen=True, slots=True)
class Condition:
    """Which tickets a task is for: those whose field, or whose label of another task, matches."""

    values: tuple[str, ...]
    field: str | None = None
    task: str | None = None

    def met_by(self, arrival: Arrival) -> bool:
        """Whether the ticket's field matches."""
        return self.field is not None and find(arrival.ticket.fields, self.field) in self.values


@dataclass(frozen=True, slots=True)
class Task:
    """One classification problem with the workers that vote on it.

    `rule` is the rule as it stands in a label.
    """

    name: str
    label_set: LabelSet
    voting: Voting
    condition: Condition | None = None
    rule: Rule = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule", self.voting.described)
