"""Promises are kept as often as they say, over 500 repeats; picking the best point is not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import binom

from streamer.decide.predictions import ABSTAINED, LabelIds
from streamer.learn.calibrate.choosing import Promise, best_order, proven
from streamer.learn.calibrate.router import train_router
from streamer.learn.calibrate.targets import Accuracy, Fidelity
from streamer.learn.data.dataset import Dataset
from streamer.learn.measures.exact_tests import lower_bound, p_values, passed
from streamer.learn.measures.threshold_families import Sweep, ThresholdFamily, threshold_families
from tests.learn import planted

REPEATS, ROWS, DELTA = 500, 400, 0.1
ALLOWED = DELTA + 2 * np.sqrt(DELTA * (1 - DELTA) / REPEATS)
WISHES: list[Promise] = [Fidelity(0.93, 1 - DELTA), Accuracy(0.93, 1 - DELTA)]


@dataclass(frozen=True, slots=True)
class World:
    """All tickets there are, so that the truth about a setting is a count."""

    tickets: Dataset
    families: list[ThresholdFamily]

    def sample(self, rng: np.random.Generator, count: int) -> Dataset:
        return self.tickets[rng.integers(len(self.tickets), size=count)]

    def keeps(self, wish: Promise, label_ids: LabelIds) -> float:
        accepted = label_ids != ABSTAINED
        published = np.where(accepted, label_ids, self.tickets.judge.label_ids)
        counted, right = wish.outcomes(self.tickets, accepted, published)
        return float(right.sum() / max(counted.sum(), 1))


@pytest.fixture(scope="module")
def world() -> World:
    rng = np.random.default_rng(1)
    earlier = planted.specialist(rng, 1000, 3)
    router = train_router(earlier.worker_predictions, earlier.judge.label_ids)
    wanted = ("majority", "unanimity", "majority mean", "chow", "chow 0", "router")
    families = [family for family in threshold_families(3, router) if family.name in wanted]
    return World(planted.specialist(rng, 10_000, 3), families)


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: type(wish).__name__)
def test_a_promise_is_broken_no_more_often_than_it_says(world: World, wish: Promise) -> None:
    rng = np.random.default_rng(2)
    broken, kept, by_label = 0, 0, np.zeros(3)
    for _ in range(REPEATS):
        design, proof = world.sample(rng, ROWS), world.sample(rng, ROWS)
        swept = [(family, family.sweep(design.worker_predictions)) for family in world.families]
        rule, guarantee = proven(best_order(swept, design, wish), proof, wish)
        assert (rule is not None) == guarantee.holds
        if rule is not None:
            label_ids = rule.decide(world.tickets.worker_predictions).label_ids
            broken += world.keeps(wish, label_ids) < wish.at_least
            kept += 1
            by_label += broken_by_label(world, wish, label_ids, guarantee.labels)
    assert kept > REPEATS / 2
    assert broken / REPEATS <= ALLOWED
    assert (by_label / REPEATS <= ALLOWED).all()


def broken_by_label(
    world: World, wish: Promise, label_ids: LabelIds, labels: Mapping[str, int]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    accepted = label_ids != ABSTAINED
    published = np.where(accepted, label_ids, world.tickets.judge.label_ids)
    counted, right = wish.outcomes(world.tickets, accepted, published)
    found = np.zeros(3)
    for code, name in enumerate(world.tickets.labels):
        if name in labels:
            mine = counted & (published == code)
            found[code] = right[mine].mean() < wish.at_least
    return found


def test_taking_the_best_point_without_a_test_breaks_the_promise(world: World) -> None:
    rng, wish, broken = np.random.default_rng(3), WISHES[0], 0
    for _ in range(REPEATS):
        seen = world.sample(rng, 2 * ROWS)
        family = world.families[-1]
        sweep = family.sweep(seen.worker_predictions)
        good = [t for t in sweep.thresholds() if point_estimate(sweep, t, seen) >= wish.at_least]
        if good:
            label_ids = (
                family.at(float(good[-1])).decide(world.tickets.worker_predictions).label_ids
            )
            broken += world.keeps(wish, label_ids) < wish.at_least
    assert broken / REPEATS > 3 * DELTA


def point_estimate(sweep: Sweep, threshold: float, cases: Dataset) -> float:
    accepted = sweep.accepted(threshold)
    return float((sweep.label_ids == cases.judge.label_ids)[accepted].mean())


@pytest.mark.parametrize("share", [0.9, 0.97])
def test_many_settings_at_the_very_border_are_passed_no_more_than_one(share: float) -> None:
    rng = np.random.default_rng(4)
    hits = rng.binomial(300, share, (40, 5000))
    p = p_values(hits, np.full(hits.shape, 300), share)
    allowed = 0.05 + 4 * np.sqrt(0.05 * 0.95 / 5000)
    assert (passed(p, 0.95) > 0).mean() <= allowed
    assert (p <= 0.05).any(axis=0).mean() > 0.5


def test_tests_stop_at_the_first_that_fails() -> None:
    p = np.array([[0.01, 0.2], [0.04, 0.01], [0.3, 0.01], [0.01, 0.01]])
    assert passed(p, 0.95).tolist() == [2, 0]
    assert passed(p[:, 0], 0.95) == 2


@pytest.mark.parametrize(
    ("hits", "of", "bound"),
    [(0, 0, 0.0), (0, 10, 0.0), (10, 10, 0.05 ** (1 / 10)), (59, 59, 0.05 ** (1 / 59))],
)
def test_bounds_that_are_known_in_closed_form(hits: int, of: int, bound: float) -> None:
    assert lower_bound(hits, of, 0.95) == pytest.approx(bound)


def test_a_share_is_proven_exactly_when_its_bound_lies_above() -> None:
    of = 120
    for hits in range(of + 1):
        bound = lower_bound(hits, of, 0.95)
        proven_at = p_values(np.array([hits]), np.array([of]), 0.9)[0] <= 0.05
        assert proven_at == (bound >= 0.9)
        assert hits == 0 or binom.sf(hits - 1, of, bound) == pytest.approx(0.05)
    assert p_values(np.array([0]), np.array([0]), 0.9)[0] == 1
