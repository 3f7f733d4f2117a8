"""The rule after the judge: what is proven of it holds, and what is not proven is not taken."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.decide.calibrated import calibrated_rule, judge_all
from streamer.decide.predictions import Predictions
from streamer.learn.calibrate.after_judge import (
    CHAIN,
    calibrate_both,
    proven_after,
    tickets_for_proof,
)
from streamer.learn.calibrate.arbitrated import Arbitrated, arbitrated, fold_of, standing
from streamer.learn.calibrate.calibrate import halves
from streamer.learn.calibrate.targets import Accuracy, JudgeShareTarget, Margin
from streamer.learn.data.dataset import Dataset
from streamer.learn.measures.non_inferiority import PairedCounts
from streamer.records.calibration import Calibration
from streamer.records.label import JUDGE_STANDS
from streamer.records.log import BallotLog, VerdictLog
from tests.learn.served import Serving

MARGIN = Margin(0.003, 0.95)
NOW = "2026-01-01T00:00:00Z"
REPEATS = 500
ALLOWED = 0.05 + 2 * np.sqrt(0.05 * 0.95 / REPEATS)


def seen(rng: np.random.Generator, truth: NDArray[np.int64], strength: float) -> Predictions:
    """What a calibrated model says that has evidence of its own."""
    evidence = rng.normal(size=(len(truth), 5))
    evidence[np.arange(len(truth)), truth] += strength
    powers = np.exp(strength * (evidence - evidence.max(axis=1, keepdims=True)))
    return Predictions.of((powers / powers.sum(axis=1, keepdims=True)).astype(np.float32))


def dataset(
    rng: np.random.Generator, count: int, workers: float = 1.6, judge: float = 2.0
) -> Dataset:
    truth = rng.integers(5, size=count)
    return Dataset(
        "planted",
        tuple("abcde"),
        ("one", "two", "three"),
        tuple(seen(rng, truth, workers) for _ in range(3)),
        seen(rng, truth, judge),
        truth,
        tuple(f"ticket {number}" for number in range(count)),
        versions={"one": "1", "two": "1", "three": "1", "judge": "7"},
    )


def close_calls(rng: np.random.Generator, count: int, share: float) -> Dataset:
    """On a share of the tickets the judge is torn between two and the workers are sure of its
    second: every pool takes that, and by it loses the margin exactly.
    """
    torn = rng.random(count) < share
    first_is_right = rng.random(count) < 0.5 + MARGIN.share / (2 * share)
    p = np.where(torn[:, None], (0.52, 0.48), (0.99, 0.01)).astype(np.float32)
    q = np.where(torn[:, None], (0.0001, 0.9999), (0.99, 0.01)).astype(np.float32)
    return replace(
        dataset(rng, count),
        labels=("a", "b"),
        worker_predictions=(Predictions.of(q),) * 3,
        judge=Predictions.of(p),
        gold=np.where(torn & ~first_is_right, 1, 0),
    )


def tried(cases: Dataset) -> Arbitrated:
    """All left to the judge; the chain's pools."""
    right, alone = standing(cases, judge_all(3), POOLS)
    return Arbitrated(right, alone, np.arange(len(cases)) % 5)


POOLS = tuple(after for after in CHAIN if after.kind == "pool")


@pytest.mark.parametrize("share", [0.006, 0.04])
def test_a_pool_that_is_worse_by_the_margin_is_proven_in_at_most_one_of_twenty_logs(
    share: float,
) -> None:
    print("seed", 31)
    rng, taken = np.random.default_rng(31), 0
    for _ in range(REPEATS):
        taken += tried(close_calls(rng, 1500, share)).proven(MARGIN) > 0
    assert taken / REPEATS <= ALLOWED


def test_choosing_the_best_first_and_testing_it_on_the_same_tickets_would_break_it() -> None:
    """The negative control: without the fixed order, of ten rules as bad as the margin allows."""
    print("seed", 32)
    rng, in_order, best_first = np.random.default_rng(32), 0, 0
    for _ in range(REPEATS):
        counts = [
            PairedCounts(1500, int(gained), int(lost))
            for gained, lost, _ in rng.multinomial(1500, [0.0085, 0.0115, 0.98], 10)
        ]
        in_order += counts[0].chance(-MARGIN.share) <= 0.05
        best = max(counts, key=lambda one: one.lead)
        best_first += best.chance(-MARGIN.share) <= 0.05
    assert in_order / REPEATS <= ALLOWED
    assert best_first / REPEATS > 0.2


def test_a_pool_that_is_better_is_taken_and_its_worth_is_that_of_fresh_tickets() -> None:
    print("seed", 33)
    rng = np.random.default_rng(33)
    known, fresh = dataset(rng, 1500), dataset(rng, 40_000)
    made = calibrate_both(known, JudgeShareTarget(0.3), MARGIN, made_at=NOW)
    proven = made.after
    assert proven is not None
    assert proven.holds
    assert proven.rule.kind in ("pool", "pool_linear", "diff", "opt")
    assert proven.bound > -MARGIN.share
    right, alone = standing(fresh, calibrated_rule(made), (proven.rule,))
    worth = right[0].mean() - alone.mean()
    assert worth > 0
    assert proven.lead is not None
    assert proven.lead.low < worth < proven.lead.high
    assert Calibration.from_json(made.to_json()) == made


async def test_what_is_counted_is_what_the_services_publish() -> None:
    print("seed", 34)
    cases = dataset(np.random.default_rng(34), 400)
    after = POOLS[2]
    right, alone = standing(cases, rule := calibrated_rule(_made(cases)), (after,))
    assert (right[0] != alone).any()
    logs = await Serving(rule, after, audit=0).log(cases)
    final = {log.ticket_id: log.label for log in logs if isinstance(log, BallotLog)}
    final |= {log.ticket_id: log.published for log in logs if isinstance(log, VerdictLog)}
    labels = np.array([cases.labels.index(final[name] or "") for name in cases.ids])
    assert (right[0] == (labels == cases.gold)).all()


def _made(cases: Dataset) -> Calibration:
    made = calibrate_both(cases, JudgeShareTarget(0.4), MARGIN, made_at=NOW)
    cool = {name: replace(model, temperature=1.0) for name, model in made.models.items()}
    return replace(made, models=cool)


def test_a_judge_that_knows_all_keeps_its_label() -> None:
    print("seed", 35)
    cases = dataset(np.random.default_rng(35), 1200, workers=1.0, judge=6.0)
    proven = proven_after(cases, JudgeShareTarget(0.5), MARGIN)
    assert proven.rule == JUDGE_STANDS


def test_without_a_known_truth_nothing_is_proven_by_the_judges_own_labels() -> None:
    print("seed", 36)
    cases = dataset(np.random.default_rng(36), 300)
    blind = replace(cases, gold=np.full(300, -1))
    proven = proven_after(blind, JudgeShareTarget(0.3), MARGIN)
    assert (proven.rule, proven.holds, proven.rows, proven.lead) == (JUDGE_STANDS, False, 0, None)
    as_judged = replace(cases, gold=cases.judge.label_ids)
    by_the_judge = proven_after(as_judged, JudgeShareTarget(0.3), MARGIN)
    assert by_the_judge.gained == 0


def test_too_few_tickets_prove_nothing_however_good_the_pool() -> None:
    print("seed", 37)
    needed = tickets_for_proof(MARGIN)
    assert PairedCounts(needed, 0, 0).chance(-MARGIN.share) <= 0.05
    assert PairedCounts(needed - 1, 0, 0).chance(-MARGIN.share) > 0.05
    proven = proven_after(dataset(np.random.default_rng(37), 300), JudgeShareTarget(0.3), MARGIN)
    assert (proven.rule, proven.holds) == (JUDGE_STANDS, False)


def test_tickets_are_decided_by_what_the_other_folds_taught() -> None:
    """What is known of a fold's own tickets changes nothing of what is published of them."""
    print("seed", 38)
    cases = dataset(np.random.default_rng(38), 300)
    found = arbitrated(cases, POOLS, JudgeShareTarget(0.3))
    assert np.bincount(found.folds).min() > 40
    own = np.array([fold_of(name) == 0 for name in cases.ids])
    unknown = own & (np.arange(300) % 2 == 0)
    again = arbitrated(
        replace(cases, gold=np.where(unknown, -1, cases.gold)), POOLS, JudgeShareTarget(0.3)
    )
    mine, left = found.right[:, found.folds == 0], again.right[:, again.folds == 0]
    assert (mine[:, ~unknown[own]] == left).all()


def test_the_half_that_proves_an_accuracy_never_chose_the_rule_after_the_judge() -> None:
    print("seed", 39)
    cases = dataset(np.random.default_rng(39), 1200)
    wish, margin = Accuracy(0.999, 0.95), Margin(0.01, 0.95)
    found = calibrate_both(cases, wish, margin, made_at=NOW)
    proof = np.isin(cases.ids, halves(cases)[1].ids)
    spoilt = replace(cases, gold=np.where(proof, (cases.gold + 1) % 5, cases.gold))
    again = calibrate_both(spoilt, wish, margin, made_at=NOW)
    assert found.after == again.after
    assert found.after is not None
    assert found.after.rule != JUDGE_STANDS
    assert found.guarantee is not None
    assert again.guarantee is not None
    assert found.guarantee.hits > 5 * again.guarantee.hits
