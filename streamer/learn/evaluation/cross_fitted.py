"""A setting that is chosen on some tickets and measured on others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.decide.distributions import Float64
from streamer.decide.vote_result import Mask

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Setting:
    """What becomes of N tickets by one setting: whether each is `right`, and what was `spent`."""

    name: str
    right: Mask
    spent: Float64


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """Each of N tickets by the setting that was chosen on the four fifths it is not among.

    `names` are those of the five settings, `quality` [5] the share that was right where they were
    chosen.
    """

    names: tuple[str, ...]
    quality: Float64
    right: Mask
    spent: Float64

    @classmethod
    def of(cls, settings: Callable[[], Iterable[Setting]], wanted: Float64) -> "CrossFitted":
        """The cheapest that is right on shares of at least `wanted` [5], else the one that is right
        most often. `settings` are gone through twice, so that never all of them are held.
        """
        tried = [(elsewhere(each.right), elsewhere(each.spent)) for each in settings()]
        quality, spent = np.array(tried).transpose(1, 2, 0)
        good = quality >= np.minimum(wanted, quality.max(axis=1))[:, None] - 1e-9
        picks = np.where(good, spent, np.inf).argmin(axis=1)
        taken = {place: each for place, each in enumerate(settings()) if place in picks}
        chosen = [taken[place] for place in picks.tolist()]
        return cls(
            tuple(each.name for each in chosen),
            quality[np.arange(FOLDS), picks],
            _held([each.right for each in chosen]),
            _held([each.spent for each in chosen]),
        )


def elsewhere(values: NDArray[Any]) -> Float64:
    """[5]: for each fifth of N values the mean of the others."""
    fold = np.arange(len(values)) % FOLDS
    sums, counts = np.bincount(fold, values, FOLDS), np.bincount(fold, minlength=FOLDS)
    return np.asarray((sums.sum() - sums) / np.maximum(len(values) - counts, 1))


def _held(values: list[NDArray[Any]]) -> NDArray[Any]:
    """[N]: of each fifth the values of its own setting."""
    places = np.arange(len(values[0]))
    held: NDArray[Any] = np.array(values)[places % FOLDS, places]
    return held
