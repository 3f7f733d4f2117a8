"""What an evaluation must find on tickets whose experts are known."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from streamer.decide.arbitration_rules import Diff
from streamer.decide.chow import Chow
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.votes import Measure, VoteRule
from streamer.errors import ConfigError
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.evaluation.evaluation import Evaluation, evaluate
from streamer.learn.evaluation.options import Options, Prices
from streamer.learn.measures.shares import Committee, figures
from tests.learn.evaluation.material import FEW, LABELS, OPTIONS, Expert, cases, labels_only, three


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return evaluate(three(), OPTIONS)


def alone(worker: Expert, judge: Expert) -> Evaluation:
    options = Options(Prices({"one": 0.1}, 1.0), rule=Chow(0.5, 1), bootstrap=FEW)
    return evaluate(cases({"one": worker}, judge), options)


def test_the_overview_is_that_of_the_fixture_by_hand() -> None:
    # The rows of tests/learn/measures/test_shares.py: a pair that accepts rows 0-13, two denied.
    one = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 1, 1, 2, -1])
    two = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 1, 2, 0, 2, 0, -1])
    judge = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 0, 0, 2, 0, 1, 2, 2])
    gold = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 0, 2, 1, 1, 2, 0])
    pair = tuple(Predictions(label_ids, None) for label_ids in (one, two))
    ids = tuple(map(str, range(20)))
    log = Dataset("queue", LABELS, ("one", "two"), pair, Predictions(judge, None), gold, ids)
    found = evaluate(log, OPTIONS)
    now, book = found.overview, found.ledger
    assert (now.coverage.value, now.coverage.of) == (14 / 20, 20)
    assert (now.fidelity.value, now.fidelity.of) == (12 / 14, 14)
    assert (now.agreement.value, now.judge_calls) == (12 / 20, 6)
    assert now.accuracy is not None
    assert now.accuracy.value == 15 / 20
    assert now.kappa.value == pytest.approx((12 / 14 - 68 / 196) / (1 - 68 / 196))
    # Wilson, by the formula with z = 1.96, n = 20 and p = 0.7.
    assert (now.coverage.low, now.coverage.high) == pytest.approx((0.4810, 0.8545), abs=5e-5)
    assert now.cost.value == pytest.approx(0.1 + 6 / 20)
    assert now.speedup == pytest.approx(1 / 0.4)
    # Accepted and wrong: rows 4, 5, 9; deferred and wrong: 16, 19.
    assert book is not None
    assert (book.accepted_wrong, book.judged_wrong, book.kept_wrong) == (3, 2, 0)


def test_no_rule_lies_above_the_oracle_and_all_begin_at_the_judge(found: Evaluation) -> None:
    for each in found.deferrals:
        for curve in each.curves:
            ends = np.interp(curve.rates, each.oracle.rates[::-1], each.oracle.quality[::-1])
            assert (np.array(curve.quality) <= ends + 1e-9).all(), curve.name
            assert curve.audc.value <= each.oracle.audc.value
            assert curve.quality[0] == pytest.approx(each.judge)


def test_every_family_has_its_curve(found: Evaluation) -> None:
    names = {curve.name for curve in found.deferrals[0].curves}
    measures = {f"majority {measure}" for measure in get_args(Measure)}
    chow = {"chow", "chow one", "chow two", "chow six"}
    assert {"majority", "unanimity", "router", "votes"} | measures | chow <= names
    assert [curve.name for curve in found.corrections] == [
        "diff",
        "opt soft",
        "opt greedy",
        "token v1",
        "token v2",
        "token v3",
    ]


def test_complementary_experts_beat_the_judge_alone() -> None:
    found = alone(Expert(0.97, 0.5, topic=0), Expert(0.97, 0.6, topic=1))
    judge = found.deferrals[0].judge
    error = 4 * np.sqrt(judge * (1 - judge) / found.tickets)
    best = {curve.name: max(curve.quality) for curve in found.corrections}
    assert best["diff"] > judge + error
    assert best["opt soft"] > judge + error
    assert found.by_cost[0].lowest.value < 1


def test_a_dominated_worker_never_beats_the_judge() -> None:
    found = alone(Expert(0.6, 0.5), Expert(0.97, 0.95))
    judge = found.deferrals[0].judge
    for curve in found.corrections:
        if curve.name in ("diff", "opt soft", "opt greedy"):
            assert max(curve.quality) <= judge + 1e-9


def test_greedy_opt_diff_and_token_v1_reach_the_same_labels(found: Evaluation) -> None:
    best = {curve.name: curve.audc.value for curve in found.corrections}
    assert best["diff"] == pytest.approx(best["token v1"])
    assert best["diff"] == pytest.approx(best["opt greedy"], abs=0.002)


def test_rules_are_compared_at_equal_judge_rate_only(found: Evaluation) -> None:
    log = three()
    rule = VoteRule("unanimity", 3).decide(log.worker_predictions).label_ids
    said = figures(rule, log.judge.label_ids, log.gold)
    beside = [row for row in found.beside_plain if row.against == "unanimity" and row.share == 1]
    assert beside
    for row in beside:
        assert row.judge_rate == pytest.approx(1 - said.coverage.value)
        assert row.lead.value == pytest.approx(row.quality - said.accuracy.value)
        assert row.lead.low <= row.lead.value <= row.lead.high


def test_a_rule_beside_itself_leads_by_nothing_in_every_resample(found: Evaluation) -> None:
    (row,) = [
        row
        for row in found.beside_plain
        if (row.family, row.against, row.share) == ("votes", "unanimity", 1)
    ]
    assert (row.lead.low, row.lead.value, row.lead.high) == pytest.approx((0, 0, 0), abs=1e-9)


def test_the_two_scalars_are_those_of_a_search_by_hand(found: Evaluation) -> None:
    curve = next(c for c in found.deferrals[0].curves if c.name == "unanimity")
    judge, rate, quality = curve.quality[0], curve.rates[-1], curve.quality[-1]
    log = three()
    both = float(
        (log.worker_predictions[0].label_ids == log.worker_predictions[1].label_ids).mean()
    )
    workers = 0.05 + 0.05 + 0.1 * both
    worth = next(w for w in found.by_cost if w.family == "unanimity")
    assert worth.workers == pytest.approx(workers)
    points = [(1 + workers, judge), (rate + workers, quality)]
    assert worth.lowest.value == pytest.approx(min(c for c, q in points if q >= judge))
    assert worth.best.value == pytest.approx(max(q for c, q in points if c <= 1))


def test_a_third_worker_that_waits_costs_time_only_where_it_is_asked() -> None:
    latencies = Prices({"one": 0.01, "two": 0.02, "six": 0.04}, 0.1)
    log = three()
    found = evaluate(log, replace(OPTIONS, latencies=latencies)).overview
    differ = log.worker_predictions[0].label_ids != log.worker_predictions[1].label_ids
    assert found.latency is not None
    deferred = 1 - found.coverage.value
    assert found.latency.value == pytest.approx(0.2 + 0.4 * differ.mean() + deferred)


def test_subsets_are_ranked_by_fidelity_and_agree_with_the_vote(found: Evaluation) -> None:
    log = three()
    answers = {
        name: predictions.label_ids
        for name, predictions in zip(log.workers, log.worker_predictions, strict=True)
    }
    assert len(found.subsets) == 3 + 2
    assert [s.fidelity.value for s in found.subsets] == sorted(
        (s.fidelity.value for s in found.subsets), reverse=True
    )
    pair = next(s for s in found.subsets if s.name == "one + two")
    accepted = Committee(("one", "two"), "majority").accepted(answers)
    said = figures(accepted, log.judge.label_ids, log.gold)
    assert (pair.fidelity.value, pair.coverage.value) == (said.fidelity.value, said.coverage.value)
    assert pair.cost == pytest.approx(0.1 + 1 - said.coverage.value)
    wrong = (answers["one"] != log.gold) & (answers["two"] != log.gold)
    assert pair.double_fault == pytest.approx(wrong.mean())


def test_corrections_run_from_the_workers_label_to_the_judges() -> None:
    # Two who are hardly sure outvote one who is, against the mean of the three.
    workers = {"one": Expert(0.98, 0.98), "two": Expert(0.45, 0.45), "six": Expert(0.45, 0.45)}
    log = cases(workers, Expert(0.92, 0.88), 600)
    found = evaluate(log, OPTIONS)
    known = [o.probabilities for o in log.worker_predictions if o.probabilities is not None]
    likeliest = np.mean(known, axis=0, dtype=np.float64).argmax(axis=1)
    accepted = VoteRule("majority", 3).decide(log.worker_predictions).label_ids
    named = np.where(accepted >= 0, accepted, likeliest)
    assert (named != likeliest).any()
    for curve in found.corrections:
        assert curve.rates[0] == pytest.approx((named != log.judge.label_ids).mean())
        assert curve.quality[0] == pytest.approx((log.judge.label_ids == log.gold).mean())
        assert curve.rates[-1] == pytest.approx(0)
        assert curve.quality[-1] == pytest.approx((named == log.gold).mean())


def test_a_planted_bad_slice_is_named_and_flagged() -> None:
    log = three(1500)
    bad = np.arange(1500) % 10 == 0
    rng = np.random.default_rng(0)
    judge = np.where(bad, rng.integers(0, 3, 1500), log.judge.label_ids)
    spoilt = replace(
        labels_only(log),
        judge=Predictions(judge, None),
        worker_predictions=tuple(
            Predictions(np.where(bad, judge, o.label_ids), None) for o in log.worker_predictions
        ),
        slices={"language": tuple(np.where(bad, "sl", "en").tolist())},
    )
    (table,) = [t for t in evaluate(spoilt, OPTIONS).slices if t.column == "language"]
    assert (table.worst, table.flagged) == ("sl", True)
    worst = table.slices[0]
    assert worst.gap < -0.3
    assert worst.quality.of == 150


def test_slices_that_differ_by_chance_are_flagged_in_few_repeats() -> None:
    flagged, repeats = 0, 60
    for seed in range(repeats):
        log = labels_only(three(300, seed))
        rng = np.random.default_rng(seed)
        log = replace(log, slices={"tenant": tuple(map(str, rng.integers(0, 12, 300)))})
        few = replace(OPTIONS, bootstrap=replace(FEW, resamples=2))
        (table,) = [t for t in evaluate(log, few).slices if t.column == "tenant"]
        flagged += table.flagged
    assert flagged / repeats <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / repeats)


@pytest.mark.parametrize("after", [None, Diff(1)])
def test_the_ledger_adds_up_to_all_errors(after: Diff | None) -> None:
    found = evaluate(three(), replace(OPTIONS, after=after))
    book, accuracy = found.ledger, found.overview.accuracy
    assert book is not None
    assert accuracy is not None
    assert book.accepted_wrong + book.judged_wrong + book.kept_wrong == book.wrong
    assert book.wrong / book.tickets == pytest.approx(1 - accuracy.value)
    assert (book.kept_wrong > 0) == (after is not None)


def test_labels_alone_are_evaluated_and_what_is_missing_is_said() -> None:
    found = evaluate(labels_only(three()), OPTIONS)
    assert {c.name for c in found.deferrals[0].curves} == {"majority", "unanimity", "votes"}
    assert found.corrections == ()
    assert found.reliabilities == ()
    assert sum("labels only" in said for said in found.missing) == 2


def test_without_gold_quality_is_agreement_with_the_judge() -> None:
    log = three()
    found = evaluate(replace(log, gold=np.full(len(log), UNKNOWN)), OPTIONS)
    assert [each.measure for each in found.deferrals] == ["agreement with the judge"]
    assert found.ledger is None
    assert found.overview.accuracy is None
    assert found.deferrals[0].judge == 1


def test_gold_on_some_tickets_grades_those_alone() -> None:
    log = three()
    some = np.arange(len(log)) < 100
    found = evaluate(replace(log, gold=np.where(some, log.gold, UNKNOWN)), OPTIONS)
    whole = evaluate(log[np.flatnonzero(some)], OPTIONS)
    assert found.overview.accuracy == whole.overview.accuracy
    assert found.overview.coverage.of == len(log)
    assert found.deferrals[0].judge == whole.deferrals[0].judge


def test_tickets_without_a_verdict_are_left_out_and_counted() -> None:
    log = three()
    label_ids = np.where(np.arange(len(log)) < 50, ABSTAINED, log.judge.label_ids)
    found = evaluate(replace(log, judge=Predictions(label_ids, log.judge.probabilities)), OPTIONS)
    assert (found.tickets, found.unjudged) == (len(log) - 50, 50)


def test_abstentions_are_no_obstacle() -> None:
    log = three()
    probs = log.worker_predictions[0].probabilities
    assert probs is not None
    gone = probs.copy()
    gone[:40] = np.nan
    found = evaluate(
        replace(log, worker_predictions=(Predictions.of(gone), *log.worker_predictions[1:])),
        OPTIONS,
    )
    assert found.tickets == len(log)


def test_temperature_makes_an_over_confident_worker_more_honest() -> None:
    log = three(2000)
    probs = log.worker_predictions[0].probabilities
    assert probs is not None
    sharp = probs**3 / (probs**3).sum(axis=1, keepdims=True)
    log = replace(log, worker_predictions=(Predictions.of(sharp), *log.worker_predictions[1:]))
    found = evaluate(log, replace(OPTIONS, temperatures={"one": 3.0}))
    (one,) = [each for each in found.reliabilities if each.model == "one"]
    assert one.after.scores.ece < one.before.scores.ece / 2
    assert sum(each.rows for each in one.before.bins) == 2000


def test_the_same_log_gives_the_same_numbers_twice() -> None:
    assert repr(evaluate(three(), OPTIONS)) == repr(evaluate(three(), OPTIONS))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (replace(OPTIONS, pool=("one", "nobody")), "no worker nobody"),
        (replace(OPTIONS, pool=("one",)), "single worker"),
        (replace(OPTIONS, costs=Prices({"one": 1.0}, 1.0)), "no price for two, six"),
    ],
)
def test_a_wrong_wish_says_what_to_do(options: Options, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        evaluate(three(200), options)


def test_a_log_without_verdicts_says_so() -> None:
    log = three(50)
    with pytest.raises(ConfigError, match="audit share"):
        evaluate(replace(log, judge=Predictions.none(50)), OPTIONS)
