"""What the service would publish of the tickets as it is set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.arbitration_rules import ArbitrationRule
from streamer.learn.evaluation.tickets import Tickets
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.served import Served

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of N tickets: the label `accepted` without the judge, or -1; the `final` label; and whether
    another one than the judge's was `kept` where it was asked.
    """

    accepted: Labels
    final: Labels
    kept: Mask

    @classmethod
    def of(cls, tickets: Tickets, after: ArbitrationRule | None) -> "Outcome":
        """Without a rule `after` the judge its label stands."""
        judge, served = tickets.pool.judge, Served.of(tickets.pool, tickets.rule)
        kept, final = np.zeros(len(served.published), np.bool_), judge.label_ids
        if after is not None:
            stands = served.arbitrated(judge, after)
            final = stands.label_ids
            kept = served.decide & (final != stands.judged)
        return cls(served.published, np.where(served.decide, final, served.published), kept)

    def __getitem__(self, rows: Labels) -> "Outcome":
        """Of some of the tickets, by their rows."""
        return Outcome(self.accepted[rows], self.final[rows], self.kept[rows])
