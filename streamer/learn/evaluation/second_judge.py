"""Whether a small judge between the workers and the large one pays."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm

from streamer.decide.distributions import Float64
from streamer.decide.predictions import ABSTAINED
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.evaluation.cross_fitted import CrossFitted, elsewhere
from streamer.learn.evaluation.options import Options
from streamer.learn.evaluation.two_judges import TwoJudges
from streamer.learn.measures.bootstrap import Bootstrap, once
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.non_inferiority import POWER, PairedCounts
from streamer.learn.measures.shares import share

CHEAPER = 0.1
"""What a further level must save (we choose): it is one more model to run and to watch."""

_CONFIDENCE = 0.95
_STEPS = norm.ppf(_CONFIDENCE) + norm.ppf(POWER)

Way = Literal["large", "small", "both"]
Verdict = Literal["pays", "the small judge is enough", "not shown as good", "not shown cheaper"]


@dataclass(frozen=True, slots=True)
class Cascade:
    """One of the ways, by the settings that were chosen on the other tickets."""

    name: Way
    settings: tuple[str, ...]
    accuracy: Interval
    cost: Interval


@dataclass(frozen=True, slots=True)
class Beside:
    """One way beside another on the same tickets: the share of the cost that it `saves`, and its
    `lead` in accuracy.

    `as_good`: by an exact test it is no more than the margin worse, with 95 %. Were all shares to
    stay, that would come out in 80 % of logs of `needed` tickets; None where it is worse by more.
    """

    name: Way
    other: Way
    saves: Interval
    lead: Interval
    as_good: bool
    needed: int | None


@dataclass(frozen=True, slots=True)
class SecondJudge:
    """The worker `small` of the log as a judge before the large one, on `tickets` with a truth.

    `cascades` are workers and large judge, workers and small judge, and all three; `besides` the
    third beside the first, the third beside the second, and the second beside the first. Intervals
    take the settings as given: five choices on four fifths each, measured on the last fifth.
    """

    small: str
    margin: float
    cheaper: float
    tickets: int
    cascades: tuple[Cascade, ...]
    besides: tuple[Beside, ...]
    verdict: Verdict


def second_judge(dataset: Dataset, options: Options) -> SecondJudge | None:
    """None where no small judge is named, or no ticket has both a truth and a verdict.

    Wanted of every way is what the large judge reaches alone, or the workers with it where they
    don't reach that. Raises `ConfigError` where the log has no such worker, or none beside it.
    """
    known = (dataset.gold != UNKNOWN) & (dataset.judge.label_ids != ABSTAINED)
    small = options.small_judge
    if small is None or not known.any():
        return None
    ways = TwoJudges.of(dataset[np.flatnonzero(known)], small, options)
    judge = ways.tickets.pool.judge.label_ids == ways.tickets.pool.gold
    large = CrossFitted.of(ways.to_large, elsewhere(judge))
    alone, both = (
        CrossFitted.of(settings, large.quality) for settings in (ways.to_small, ways.through_both)
    )
    named: dict[Way, CrossFitted] = {"large": large, "small": alone, "both": both}
    pairs: tuple[tuple[Way, Way], ...] = (("both", "large"), ("both", "small"), ("small", "large"))
    besides = [_beside(*pair, named[pair[0]], named[pair[1]], options) for pair in pairs]
    return SecondJudge(
        small,
        options.margin,
        CHEAPER,
        len(judge),
        tuple(_cascade(name, each, options.bootstrap) for name, each in named.items()),
        tuple(besides),
        _verdict(*besides),
    )


def _cascade(name: Way, found: CrossFitted, bootstrap: Bootstrap) -> Cascade:
    return Cascade(
        name,
        found.names,
        Interval.of_share(share(found.right)),
        bootstrap.mean(found.spent),
    )


def _beside(name: Way, other: Way, one: CrossFitted, two: CrossFitted, options: Options) -> Beside:
    gained, lost = (int((a.right & ~b.right).sum()) for a, b in ((one, two), (two, one)))
    counts = PairedCounts(len(one.right), gained, lost)
    return Beside(
        name,
        other,
        _saved(one.spent, two.spent, options.bootstrap),
        options.bootstrap.mean(one.right.astype(np.float64) - two.right),
        counts.chance(-options.margin) <= 1 - _CONFIDENCE,
        _needed(counts, -options.margin),
    )


def _needed(counts: PairedCounts, least: float) -> int | None:
    """By the normal approximation."""
    if counts.lead <= least:
        return None
    spread = (counts.gained + counts.lost) / counts.of - counts.lead**2
    return math.ceil(float(_STEPS**2 * spread / (counts.lead - least) ** 2))


def _saved(one: Float64, two: Float64, bootstrap: Bootstrap) -> Interval:
    def saved(counts: Float64) -> Float64:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(1 - (counts @ one) / (counts @ two))[:, None]

    samples = bootstrap.of(saved, len(one))
    return Interval.of_samples(float(saved(once(len(one)))[0, 0]), samples[:, 0])


def _verdict(beside_large: Beside, beside_small: Beside, small: Beside) -> Verdict:
    if small.as_good and beside_small.saves.value <= 0:
        return "the small judge is enough"
    if not beside_large.as_good:
        return "not shown as good"
    return "pays" if beside_large.saves.low >= CHEAPER else "not shown cheaper"
