"""How likely a ticket was to be judged and logged."""

from dataclasses import dataclass

from streamer.decide.serving_policy import ServingPolicy
from streamer.records.log import BallotLog


@dataclass(frozen=True, slots=True)
class Chances:
    """The shares by which tickets are drawn, each by a hash of its own purpose: independently.

    `audit`, `gold` and `log` as audit.share, review.gold and log.share; `verify` is the task's.
    They must have been the same for all of the log.
    """

    audit: float
    gold: float
    log: float
    verify: float

    @property
    def uniform(self) -> float:
        """Of the uniform stratum, u = 1 - (1 - audit) (1 - gold): gold tickets are audited too."""
        return 1 - (1 - self.audit) * (1 - self.gold)

    def of(self, ballot: BallotLog) -> float:
        """P(judged and logged | the ticket and its ballot) = u + (1 - u) log j.

        All of the stratum are judged and logged. Of the others a share `log` is logged, and j are
        judged: all that were deferred (j = 1); `verify` of those that an optimistic task published
        at once; none that workers settled, or that a fallback stood in for (j = 0), so that such
        a ticket comes from the stratum or not at all.
        """
        if ballot.label is None:
            judged = 1.0
        else:
            judged = self.verify if ServingPolicy(ballot.mode).publishes_first else 0.0
        return self.uniform + (1 - self.uniform) * self.log * judged
