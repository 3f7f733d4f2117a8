"""A task as the classify service works on it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from streamer.records.calibration import Calibration
from streamer.records.label import Rule
from streamer.records.labelset import LabelSet
from streamer.services.arrival import Arrival
from streamer.services.intake import find
from streamer.services.plan import Planner
from streamer.services.shadows import Shadows
from streamer.services.voting import Seat, Voting


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

    `rule` is the rule as it stands in a label. `needs_ensemble` says that the rule after the judge
    looks at the workers' distributions; `verify` is the share that is verified in optimistic mode.
    `shadows` are versions on trial. `backfill` names the backfill that works on it, None in the
    live stream.
    """

    name: str
    label_set: LabelSet
    voting: Voting
    condition: Condition | None = None
    planner: Planner = field(default_factory=Planner)
    calibration: Calibration | None = None
    needs_ensemble: bool = False
    verify: float = 1.0
    backfill: str | None = None
    shadows: Shadows | None = None
    rule: Rule = field(init=False)
    calibrated: str | None = field(init=False)

    def __post_init__(self) -> None:
        version = None if self.calibration is None else self.calibration.version
        object.__setattr__(self, "rule", self.voting.described)
        object.__setattr__(self, "calibrated", version)

    def stale(self, seats: Iterable[Seat]) -> bool:
        """Whether workers answered in another version than the one that was calibrated."""
        if self.calibration is None:
            return False
        models = self.calibration.models
        return any(
            seat.version is not None and seat.version != models[seat.worker].version
            for seat in seats
        )
