"""Rules that look at the workers' distribution alone: they can save the call of the judge."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.decide.distributions import checked


class BeforeJudge(Protocol):
    """Decides without the judge whether the workers' label stands."""

    def accepts(self, q: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """[N] for the workers' calibrated probabilities q [N, K]."""


@dataclass(frozen=True, slots=True)
class Chow:
    """Accept iff max q >= 1 - alpha (eq. 2 of arXiv 2405.19261): alpha 0 asks the judge unless
    the workers are certain, 1 never does.
    """

    alpha: float

    def accepts(self, q: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """See `BeforeJudge`; raises `ValueError` for rows that are no distributions."""
        return np.asarray(checked(q).max(axis=1) >= 1 - self.alpha)
