"""Workers and judge as one: the label that both together find likeliest."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from streamer.decide.arbitration_rules import Kept
from streamer.decide.distributions import Float64, Rows, checked_pair
from streamer.decide.predictions import LabelIds
from streamer.decide.rounding import DECIMALS, rounded

_LEAST = 0.5 * 10.0**-DECIMALS
"""What is logged as 0 is at most this: no model forbids a label by a rounded probability."""


@dataclass(frozen=True, slots=True)
class OpinionPool:
    """The likeliest label of q^alpha p^(1 - alpha), or for "linear" of alpha q + (1 - alpha) p.

    Alpha 0 is the judge's label, 1 the workers' likeliest. (Logarithmic and linear opinion pools,
    Genest and Zidek 1986.) The label may be one that neither of them finds likeliest. Labels closer
    than 5 decimals are ties, and go to the judge's own, then to the one that comes first. q and p
    as in `ArbitrationRule`.
    """

    alpha: float
    how: Literal["log", "linear"] = "log"

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must be finite and from 0 to 1, not {self.alpha}")

    def label_ids(self, q: Rows, p: Rows) -> LabelIds:
        """[N]: the labels that stand, for q and p [N, K]; raises `ValueError` as `keeps`."""
        pooled = self._pooled(*checked_pair(q, p))
        judged, rows = p.argmax(axis=1), np.arange(len(p))
        ties = pooled[rows, judged] >= pooled.max(axis=1, initial=0)
        return np.where(ties, judged, pooled.argmax(axis=1))

    def keeps(self, q: Rows, p: Rows, label_ids: LabelIds | None = None) -> Kept:
        """[N]: whether the label that stands is the workers', argmax q or that in `label_ids`."""
        named = q.argmax(axis=1) if label_ids is None else label_ids
        return np.asarray(self.label_ids(q, p) == named)

    def _pooled(self, q: Float64, p: Float64) -> Float64:
        """[N, K], rounded: the last bit of a logarithm may differ between machines."""
        if self.how == "linear":
            return rounded(self.alpha * q + (1 - self.alpha) * p)
        workers, judge = (np.log(np.maximum(rounded(rows), _LEAST)) for rows in (q, p))
        powers = np.exp(self.alpha * workers + (1 - self.alpha) * judge)
        return rounded(powers / powers.sum(axis=1, keepdims=True))
