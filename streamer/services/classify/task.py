"""A task as the classify service works on it."""

from dataclasses import dataclass, field

from streamer.decide.budget import JudgeBudget
from streamer.decide.serving_policy import ServingPolicy
from streamer.records.labelset import LabelSet
from streamer.records.pointers import find
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.route.routes import Routes
from streamer.services.classify.vote.shadows import Shadows
from streamer.services.classify.vote.voting import Voting


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
class ClassifyTask:
    """One classification problem with the workers that vote on it.

    `budget` is kept over batches. `needs_ensemble` says that the rule after the judge looks at the
    workers' distributions; `verify` is the share that is verified where labels are published first.
    `shadows` are versions on trial. `backfill` names the backfill that works on it, None in the
    live stream. With `routes`, tickets are decided on by the route of their segment.
    """

    name: str
    label_set: LabelSet
    voting: Voting
    condition: Condition | None = None
    policy: ServingPolicy = field(default_factory=ServingPolicy)
    budget: JudgeBudget | None = None
    needs_ensemble: bool = False
    verify: float = 1.0
    backfill: str | None = None
    shadows: Shadows | None = None
    routes: Routes | None = None
