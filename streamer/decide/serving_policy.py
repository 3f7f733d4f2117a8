"""How a task is served: what may be published before the judge has spoken."""

from dataclasses import dataclass

from streamer.decide.vote_result import OutagePolicy
from streamer.records.log import Mode


@dataclass(frozen=True, slots=True)
class ServingPolicy:
    """The mode, and what happens when too few workers can be reached for any label to stand."""

    mode: Mode = "sequential"
    on_outage: OutagePolicy = "wait"

    @property
    def publishes_first(self) -> bool:
        """Whether every candidate is published at once, and the judge may correct it after."""
        return self.mode == "optimistic"

    def falls_back(self, outage: bool) -> bool:
        """Whether what most workers say stands in, where an outage lets no rule decide."""
        return outage and self.on_outage == "fallback"
