"""A task as the classify service works on it."""

from dataclasses import dataclass, field

from streamer.records.label import Rule
from streamer.records.label_form import LabelForm
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

    `rule` is the rule as it stands in a label, `form` writes the labels.
    """

    name: str
    label_set: LabelSet
    voting: Voting
    condition: Condition | None = None
    rule: Rule = field(init=False)
    form: LabelForm = field(init=False)

    def __post_init__(self) -> None:
        vote = self.voting.rule
        at_least = vote.at_least if vote.measure is not None else None
        rule = Rule(vote.kind, vote.quorum, vote.of, vote.measure, at_least, vote.alpha)
        object.__setattr__(self, "rule", rule)
        object.__setattr__(self, "form", LabelForm(self.name, self.label_set, rule))
