"""Rules that need the judge's probabilities: they decide whose label stands, the workers' or the
judge's, and can save no judge call.

The rules are those of "Faster Cascades via Speculative Decoding" (arXiv 2405.19261, equations 5,
10 and 13 to 15), for a text of one token: the label. q are the workers' probabilities, p the
judge's. The values of alpha of two rules can't be compared.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.decide.distributions import (
    Float64,
    Rows,
    checked_pair,
    total_variation,
)
from streamer.decide.predictions import LabelIds
from streamer.decide.rounding import at_least, rounded

Kept = NDArray[np.bool_]


class ArbitrationRule(Protocol):
    """Decides for tickets on which workers and judge have both spoken."""

    def keeps(self, q: Rows, p: Rows, label_ids: LabelIds | None = None) -> Kept:
        """[N]: whether the workers' label stands against the judge's, for q and p [N, K].

        The workers' label is argmax q, or that in `label_ids` [N] where it is given: a majority may
        have named another. Nothing is kept for an abstention (-1). Raises `ValueError` for rows
        that are no distributions.
        """
        ...


@dataclass(frozen=True, slots=True)
class Diff:
    """Keep iff max q >= max p - alpha (eq. 5): at 0 the surer model wins, -1 judge, 1 workers.

    For a label that is not the likeliest q(label) stands in for max q: what the workers find less
    likely than another must not win by the other's probability.
    """

    alpha: float

    def __post_init__(self) -> None:
        _within(self.alpha, -1, 1)

    def keeps(self, q: Rows, p: Rows, label_ids: LabelIds | None = None) -> Kept:
        q, p = _pair(q, p)
        return at_least(_of_label(q, q, label_ids), _most(p) - self.alpha)


@dataclass(frozen=True, slots=True)
class Opt:
    """Keep iff max q >= max p - alpha * D_TV(p, q) (eq. 10), with q(label) as in `Diff`.

    Mind the sign: for a positive alpha, the more the two differ the more readily the workers' label
    is kept, since the paper's cost is that of a correction. With the distance "greedy" D_TV is that
    of the two labels, 0 or 1.
    """

    alpha: float
    distance: Literal["soft", "greedy"] = "soft"

    def __post_init__(self) -> None:
        _within(self.alpha, -np.inf, np.inf)

    def keeps(self, q: Rows, p: Rows, label_ids: LabelIds | None = None) -> Kept:
        q, p = _pair(q, p)
        far = total_variation(p, q) if self.distance == "soft" else _differ(p, q, label_ids)
        return at_least(_of_label(q, q, label_ids), _most(p) - self.alpha * far)


@dataclass(frozen=True, slots=True)
class TokenV1:
    """Keep iff q(label) >= max p - alpha (eq. 13). For the replay only: the workers vouch for
    themselves, as under `Diff`.
    """

    alpha: float

    def __post_init__(self) -> None:
        _within(self.alpha, -1, 1)

    def keeps(self, q: Rows, p: Rows, label_ids: LabelIds | None = None) -> Kept:
        return Diff(self.alpha).keeps(q, p, label_ids)


@dataclass(frozen=True, slots=True)
class TokenV2:
    """Keep iff p(label) >= max p - alpha (eq. 14). For the replay only: `TokenV3` says the same in
    proportion to max p.
    """

    alpha: float

    def __post_init__(self) -> None:
        _within(self.alpha, -1, 1)

    def keeps(self, q: Rows, p: Rows, label_ids: LabelIds | None = None) -> Kept:
        q, p = _pair(q, p)
        return at_least(_of_label(p, q, label_ids), _most(p) - self.alpha)


@dataclass(frozen=True, slots=True)
class TokenV3:
    """Keep iff p(label) >= (1 - alpha) * max p (eq. 15): 0 is the judge's label, 1 the workers'.

    At 0 the workers' label stands only where the judge finds it as likely as its own, which for
    `greedy` p means the same label.
    """

    alpha: float

    def __post_init__(self) -> None:
        _within(self.alpha, 0, 1)

    def keeps(self, q: Rows, p: Rows, label_ids: LabelIds | None = None) -> Kept:
        q, p = _pair(q, p)
        return at_least(_of_label(p, q, label_ids), (1 - self.alpha) * _most(p))


def _within(alpha: float, least: float, most: float) -> None:
    if not (np.isfinite(alpha) and least <= alpha <= most):
        raise ValueError(f"alpha must be finite and from {least} to {most}, not {alpha}")


def _pair(q: Rows, p: Rows) -> tuple[Float64, Float64]:
    q, p = checked_pair(q, p)
    return rounded(q), rounded(p)


def _most(rows: Float64) -> Float64:
    return np.asarray(rows.max(axis=1, initial=0))


def _differ(p: Float64, q: Float64, label_ids: LabelIds | None) -> Float64:
    return np.asarray(_labels(q, label_ids) != p.argmax(axis=1), np.float64)


def _labels(q: Float64, label_ids: LabelIds | None) -> LabelIds:
    return np.asarray(q.argmax(axis=1)) if label_ids is None else label_ids


def _of_label(rows: Float64, q: Float64, label_ids: LabelIds | None) -> Float64:
    labels = _labels(q, label_ids)
    return np.where(labels >= 0, rows[np.arange(len(rows)), labels], -np.inf)
