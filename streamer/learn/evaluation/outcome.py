"""What the service would publish of the tickets as it is set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.after_judge import AfterJudge
from streamer.decide.opinion import ABSTAINED
from streamer.learn.evaluation.tickets import Tickets, mean_vector
from streamer.learn.scores import Labels

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of N tickets: the label `accepted` without the judge, or -1; the `final` label; and whether
    the workers' label was kept against the judge's.
    """

    accepted: Labels
    final: Labels
    kept: Mask

    @classmethod
    def of(cls, tickets: Tickets, after: AfterJudge | None) -> "Outcome":
        """Without a rule `after` the judge its label stands. Raises `ValueError` where that rule
        needs probabilities which the log has not.
        """
        cases = tickets.cases
        accepted = tickets.rule.decide(cases.opinions).codes
        kept, named = np.zeros(len(cases), np.bool_), np.full(len(cases), ABSTAINED)
        rows = usable(tickets)
        if after is not None and cases.judge.probabilities is not None:
            q = mean_vector(cases.opinions)[rows]
            kept[rows] = after.keeps(q, cases.judge.probabilities[rows])
            kept &= accepted == ABSTAINED
            named[rows] = q.argmax(axis=1)
        judged = np.where(kept, named, cases.judge.codes)
        return cls(accepted, np.where(accepted == ABSTAINED, judged, accepted), kept)

    def __getitem__(self, rows: Labels) -> "Outcome":
        """Of some of the tickets, by their places."""
        return Outcome(self.accepted[rows], self.final[rows], self.kept[rows])


def usable(tickets: Tickets) -> Labels:
    """The places of the tickets on which nobody abstains."""
    votes = [opinion.codes != ABSTAINED for opinion in tickets.cases.opinions]
    return np.flatnonzero(np.all(votes, axis=0))
