"""Where the wrong labels come from."""

from dataclasses import dataclass

import numpy as np

from streamer.decide.predictions import ABSTAINED
from streamer.learn.evaluation.outcome import Outcome
from streamer.learn.measures.scores import Labels


@dataclass(frozen=True, slots=True)
class ErrorSources:
    """Counts of `tickets`: wrong because accepted, because the judge was wrong, and because a
    wrong label was kept against the judge's. Together they are all wrong labels.

    `missed` of the accepted ones the judge would have got right, `spared` right ones not.
    """

    tickets: int
    accepted_wrong: int
    judged_wrong: int
    kept_wrong: int
    wrong: int
    missed: int
    spared: int

    @classmethod
    def of(cls, outcome: Outcome, judge: Labels, gold: Labels) -> "ErrorSources":
        """Labels [N] with a known truth."""
        wrong, accepted = outcome.final != gold, outcome.accepted != ABSTAINED
        judged = ~accepted & ~outcome.kept

        def count(mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
            return int(mask.sum())

        return cls(
            len(gold),
            count(wrong & accepted),
            count(wrong & judged),
            count(wrong & outcome.kept),
            count(wrong),
            count(wrong & accepted & (judge == gold)),
            count(~wrong & accepted & (judge != gold)),
        )
