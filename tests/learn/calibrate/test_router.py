"""Where confidence misleads, the router wins; where it does not, nothing is lost."""

from collections.abc import Callable

import numpy as np
import pytest

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.router import Router
from streamer.learn.calibrate.router import cross_fitted, train_router
from streamer.learn.data.dataset import Dataset
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.threshold_families import Sweep, ThresholdFamily, threshold_families
from tests.learn import planted

Planted = Callable[[np.random.Generator, int], Dataset]


def area(sweep: Sweep, judge: Labels) -> float:
    """Under the deferral curve: agreement with the judge over the judge rate."""
    order = np.argsort(-sweep.confidence, kind="stable")
    return float(1 - np.cumsum((sweep.label_ids != judge)[order]).mean() / len(judge))


def gains(make: Planted, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Router's area less Chow's on fresh tickets, in 300 paired bootstrap samples."""
    print("seed", seed)
    rng = np.random.default_rng(seed)
    known, fresh = make(rng, 3000), make(rng, 4000)
    judge = fresh.judge.label_ids
    rivals = {
        family.name: family
        for family in threshold_families(
            3, train_router(known.worker_predictions, known.judge.label_ids)
        )
    }
    router, chow = (rivals[name].sweep(fresh.worker_predictions) for name in ("router", "chow"))
    found = []
    for _ in range(300):
        rows = rng.integers(len(fresh), size=len(fresh))
        one, other = (Sweep(s.label_ids[rows], s.confidence[rows]) for s in (router, chow))
        found.append(area(one, judge[rows]) - area(other, judge[rows]))
    return np.array(found)


@pytest.mark.parametrize("make", [planted.specialist, planted.noisy, planted.shifted])
def test_the_router_beats_chow_where_confidence_misleads(make: Planted) -> None:
    assert np.quantile(gains(make, 1), 0.025) > 0


def test_the_router_loses_nothing_on_well_behaved_data() -> None:
    assert np.quantile(gains(planted.well_behaved, 2), 0.025) > -0.01


def test_its_estimate_is_the_share_that_it_gets_wrong() -> None:
    rng = np.random.default_rng(3)
    known, fresh = planted.specialist(rng, 4000), planted.specialist(rng, 20_000)
    said = Router(train_router(known.worker_predictions, known.judge.label_ids), 1.0).decide(
        fresh.worker_predictions
    )
    right = said.label_ids == fresh.judge.label_ids
    for low, high in ((0, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.01)):
        mine = (said.confidence >= low) & (said.confidence < high)
        assert said.confidence[mine].mean() == pytest.approx(right[mine].mean(), abs=0.05)


def test_cross_fitted_sureness_is_honest_where_nothing_can_be_learnt() -> None:
    cases = planted.well_behaved(np.random.default_rng(4), 1000, 20)
    judge = np.random.default_rng(5).integers(20, size=1000)
    found = cross_fitted(cases.worker_predictions, judge)
    right = (found.label_ids == judge).mean()
    assert found.confidence.mean() == pytest.approx(right, abs=4 * np.sqrt(0.05 * 0.95 / 1000))


def test_the_same_log_gives_the_same_weights() -> None:
    cases = planted.shifted(np.random.default_rng(6), 500)
    first, second = (
        train_router(cases.worker_predictions, cases.judge.label_ids) for _ in range(2)
    )
    assert first == second


def test_a_judge_that_never_differs_is_learnt_without_a_regression() -> None:
    cases = planted.well_behaved(np.random.default_rng(7), 200)
    alone = cases.worker_predictions[:1]
    weights = train_router(alone, alone[0].label_ids)
    assert Router(weights, 0.01).decide(alone).label_ids.tolist() == alone[0].label_ids.tolist()


def test_abstentions_teach_nothing() -> None:
    cases = planted.well_behaved(np.random.default_rng(8), 400)
    judge = cases.judge.label_ids.copy()
    judge[:200] = ABSTAINED
    last = cases[np.arange(200, 400)]
    assert train_router(cases.worker_predictions, judge) == train_router(
        last.worker_predictions, judge[200:]
    )


def test_labels_only_and_empty_logs_are_refused() -> None:
    cases = planted.well_behaved(np.random.default_rng(9), 50)
    bare = [predictions.labels_only() for predictions in cases.worker_predictions]
    with pytest.raises(ValueError, match="probabilities of every worker"):
        train_router(bare, cases.judge.label_ids)
    with pytest.raises(ValueError, match="no ticket"):
        train_router([Predictions.none(50)], cases.judge.label_ids)


def every_family() -> list[ThresholdFamily]:
    cases = planted.well_behaved(np.random.default_rng(10), 500)
    return threshold_families(3, train_router(cases.worker_predictions, cases.judge.label_ids))


@pytest.mark.parametrize("family", every_family(), ids=lambda family: family.name)
def test_a_sweep_accepts_what_its_rules_accept(family: ThresholdFamily) -> None:
    cases = planted.well_behaved(np.random.default_rng(11), 400)
    worker_predictions = [predictions[np.arange(400)] for predictions in cases.worker_predictions]
    worker_predictions[0].label_ids[:10] = ABSTAINED
    sweep = family.sweep(worker_predictions)
    settings = sweep.thresholds()
    assert (np.diff(settings) < 0).all()
    for threshold in settings:
        label_ids = family.at(float(threshold)).decide(worker_predictions).label_ids
        assert ((label_ids != ABSTAINED) == sweep.accepted(threshold)).all()
        assert (label_ids[label_ids != ABSTAINED] == sweep.label_ids[label_ids != ABSTAINED]).all()
