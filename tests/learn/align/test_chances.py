"""What is in a log, and how it tells of all tickets all the same."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.decide.candidate import workers_candidate
from streamer.decide.decision import Decision
from streamer.decide.disposition import dispose
from streamer.decide.predictions import Predictions
from streamer.decide.sampling import Sampling
from streamer.decide.serving_policy import ServingPolicy
from streamer.learn.align.chances import Chances
from streamer.records.examples import EXAMPLES
from streamer.records.log import BallotLog
from tests.learn.align.estimate import Weighted

COUNT = 40_000
IDS = [f"T-{number}" for number in range(COUNT)]


def logged(
    stratum: Sampling, settled: np.ndarray, policy: ServingPolicy, verify: float
) -> tuple[np.ndarray, np.ndarray]:
    """Of N tickets of which the rule accepted the `settled`: which are judged and logged, by the
    services' own draws and plan, and which had a label without the judge.
    """
    label_ids = np.where(settled, 0, -1)
    predictions = Predictions(np.zeros(COUNT, np.int64), None)
    decision = Decision(label_ids, np.full(COUNT, np.nan))
    sample = stratum.sample(IDS, verify)
    candidate = workers_candidate(decision, [predictions], policy)
    disposition = dispose(decision, candidate, policy, sample)
    judged = disposition.decide | disposition.verify | disposition.audit
    return judged & sample.logged, ~disposition.decide


@pytest.mark.parametrize("mode", ["sequential", "optimistic"])
@pytest.mark.parametrize(("audit", "gold", "log"), [(0.05, 0, 0.3), (0.02, 0.04, 0), (0.1, 0, 1)])
def test_a_chance_is_how_often_the_services_judge_and_log(mode, audit, gold, log) -> None:
    settled = np.arange(COUNT) % 3 > 0
    verify = 0.4 if mode == "optimistic" else 1.0
    there, labelled = logged(
        Sampling("salt", audit, log, gold), settled, ServingPolicy(mode), verify
    )
    chances = Chances(audit, gold, log, verify)
    (example,) = (one for one in EXAMPLES["log"] if isinstance(one, BallotLog))
    for has_label in np.unique(labelled):
        label = example.candidate if has_label else None
        expected = chances.of(replace(example, label=label, mode=mode))
        found = there[labelled == has_label]
        error = np.sqrt(expected * (1 - expected) / len(found))
        assert abs(found.mean() - expected) <= 4 * error


def test_weights_correct_what_the_judged_tickets_alone_get_wrong() -> None:
    """P2-13: the agreement A_j of a worker in every segment, with deferred tickets over-drawn."""
    audit, log, seeds = 0.05, 0.5, 20
    chances, near, naive_near, cases = Chances(audit, 0, log, 1), 0, 0, 0
    (example,) = (one for one in EXAMPLES["log"] if isinstance(one, BallotLog))
    by_label = [chances.of(replace(example, label=label)) for label in (None, "billing")]
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        segment, settled = rng.integers(3, size=COUNT), rng.random(COUNT) < 0.8
        agrees = rng.random(COUNT) < np.where(settled, 0.95 - 0.05 * segment, 0.4)
        there, _ = logged(Sampling(f"{seed}", audit, log), settled, ServingPolicy(), 1.0)
        weights = 1 / np.where(settled, by_label[1], by_label[0])
        for place in range(3):
            mine = there & (segment == place)
            truth = agrees[segment == place].mean()
            found = Weighted.of(agrees[mine], weights[mine])
            naive = Weighted.of(agrees[mine], np.ones(mine.sum()))
            near += abs(found.value - truth) <= 2 * found.error
            naive_near += abs(naive.value - truth) <= 2 * naive.error
            cases += 1
    # 95 % of the intervals of 2 standard errors hold the truth: 51 of 60 or fewer have p < 0.001.
    assert near > 51, f"{near} of {cases}"
    assert naive_near == 0, f"{naive_near} of {cases}"


def test_of_no_ticket_nothing_is_known() -> None:
    assert np.isnan(Weighted.of(np.zeros(0, np.bool_), np.zeros(0, np.float32)).value)
