"""Chosen on some tickets, measured on others."""

from collections.abc import Iterator

import numpy as np
import pytest

from streamer.learn.evaluation.cross_fitted import FOLDS, CrossFitted, Setting, elsewhere


def test_what_was_chosen_by_luck_is_not_measured_by_luck() -> None:
    rng = np.random.default_rng(3)
    coins = [rng.random(100) < 0.5 for _ in range(400)]

    def settings() -> Iterator[Setting]:
        return (Setting(str(place), coin, np.ones(100)) for place, coin in enumerate(coins))

    chosen = CrossFitted.of(settings, np.full(FOLDS, 1.0))
    assert chosen.quality.min() > 0.6
    assert chosen.right.mean() == pytest.approx(0.5, abs=4 * 0.05)


def test_the_cheapest_that_is_good_enough_is_taken_else_the_best() -> None:
    good, fair, bad = (np.arange(100) >= wrong for wrong in (5, 25, 50))
    spent = {"good": 1.0, "good too": 0.5, "fair": 0.2, "bad": 0.0}
    rights = dict(zip(spent, (good, good, fair, bad), strict=True))

    def settings() -> Iterator[Setting]:
        return (Setting(name, rights[name], np.full(100, spent[name])) for name in spent)

    wanted = elsewhere(fair)
    assert set(CrossFitted.of(settings, wanted).names) == {"fair"}
    assert set(CrossFitted.of(settings, np.full(FOLDS, 0.99)).names) == {"good too"}


def test_each_fifth_is_by_its_own_setting() -> None:
    fold = np.arange(20) % FOLDS

    def settings() -> Iterator[Setting]:
        # Wrong on its own fifth alone, so right on all others: chosen for that fifth.
        return (Setting(str(held), fold != held, fold + 10.0 * held) for held in range(FOLDS))

    chosen = CrossFitted.of(settings, np.ones(FOLDS))
    assert chosen.names == tuple(map(str, range(FOLDS)))
    assert not chosen.right.any()
    assert chosen.spent.tolist() == [11.0 * held for held in fold]
    assert elsewhere(fold == 0).tolist() == [0, 0.25, 0.25, 0.25, 0.25]
