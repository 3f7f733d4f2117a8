"""Rules that compare the workers' distribution q with the judge's p.

They say which label stands once the judge has answered, so they can't save its call; their type
keeps them out of the place of a rule that can. In accept form, over the unscaled probabilities, as
in arXiv 2405.19261 (ICLR numbering). Their alphas are not comparable numbers: compare rules at
equal judge or correction rate only. y is the workers' label, the likeliest of q unless given.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.decide.distributions import checked, greedy, total_variation

Rows = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]


class AfterJudge(Protocol):
    """Decides, knowing the judge's verdict, whether the workers' label stands."""

    def keeps(self, q: Rows, p: Rows, y: Labels | None = None) -> NDArray[np.bool_]:
        """[N] for workers' q and judge's p, both [N, K], and labels y [N]."""


@dataclass(frozen=True, slots=True)
class Diff:
    """Keep iff max q >= max p - alpha (eq. 5): at 0 the more confident model wins."""

    alpha: float

    def keeps(self, q: Rows, p: Rows, y: Labels | None = None) -> NDArray[np.bool_]:
        """See `AfterJudge`; raises `ValueError` for rows that are no distributions."""
        return np.asarray(checked(q).max(axis=1) >= checked(p).max(axis=1) - self.alpha)


@dataclass(frozen=True, slots=True)
class Opt:
    """Keep iff max q >= max p - alpha * D_TV(p, q) (eq. 10).

    The distance is subtracted: the further apart the two are, the more OPT keeps the workers'
    label, because it counts what overruling them costs. Use it with calibrated workers only.
    `soft` takes the distance of the distributions, otherwise that of the two labels.
    """

    alpha: float
    soft: bool = True

    def keeps(self, q: Rows, p: Rows, y: Labels | None = None) -> NDArray[np.bool_]:
        """See `AfterJudge`; raises `ValueError` for rows that are no distributions."""
        worker, judge = checked(q), checked(p)
        pair = (judge, worker) if self.soft else (greedy(judge), greedy(worker))
        distance = total_variation(*pair)
        return np.asarray(worker.max(axis=1) >= judge.max(axis=1) - self.alpha * distance)


@dataclass(frozen=True, slots=True)
class TokenV1:
    """Keep iff q(y) >= max p - alpha (eq. 13)."""

    alpha: float

    def keeps(self, q: Rows, p: Rows, y: Labels | None = None) -> NDArray[np.bool_]:
        """See `AfterJudge`; raises `ValueError` for rows that are no distributions."""
        worker = checked(q)
        return np.asarray(_of(worker, worker, y) >= checked(p).max(axis=1) - self.alpha)


@dataclass(frozen=True, slots=True)
class TokenV2:
    """Keep iff p(y) >= max p - alpha (eq. 14): the judge itself vouches for the label."""

    alpha: float

    def keeps(self, q: Rows, p: Rows, y: Labels | None = None) -> NDArray[np.bool_]:
        """See `AfterJudge`; raises `ValueError` for rows that are no distributions."""
        judge = checked(p)
        return np.asarray(_of(judge, checked(q), y) >= judge.max(axis=1) - self.alpha)


@dataclass(frozen=True, slots=True)
class TokenV3:
    """Keep iff p(y) >= (1 - alpha) * max p (eq. 15): 0 is the judge's label, 1 the workers'."""

    alpha: float

    def keeps(self, q: Rows, p: Rows, y: Labels | None = None) -> NDArray[np.bool_]:
        """See `AfterJudge`; raises `ValueError` for rows that are no distributions."""
        judge = checked(p)
        return np.asarray(_of(judge, checked(q), y) >= (1 - self.alpha) * judge.max(axis=1))


def _of(rows: Rows, q: Rows, y: Labels | None) -> NDArray[np.floating[Any]]:
    labels = q.argmax(axis=1) if y is None else y
    return np.asarray(rows[np.arange(len(rows)), labels])
