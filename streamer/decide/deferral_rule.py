"""Rules that decide from the workers' answers alone: they can save the judge call."""

from collections.abc import Sequence
from typing import Protocol

from streamer.decide.decision import Decision
from streamer.decide.predictions import Predictions
from streamer.records.label import Rule


class DeferralRule(Protocol):
    """Decides which tickets need no judge, and their labels.

    Workers are known by their indexes, in the order in which a task configures them.
    """

    @property
    def of(self) -> int:
        """Workers configured."""
        ...

    @property
    def quorum(self) -> int:
        """Workers that must answer for a label to stand."""
        ...

    def decidable(self, answering: Sequence[bool]) -> bool:
        """Whether a label can stand when only some workers answer; one value per worker."""
        ...

    def decide(self, worker_predictions: Sequence[Predictions]) -> Decision:
        """Decide on the predictions of the workers that were asked."""
        ...

    def described(self, workers: Sequence[str]) -> Rule:
        """The rule as labels carry it; `workers` are the names by index."""
        ...
