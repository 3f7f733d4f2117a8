"""Whether a second judge pays, on tickets where that is known."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.errors import ConfigError
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.evaluation.evaluation import evaluate
from streamer.learn.evaluation.options import Options, Prices
from streamer.learn.evaluation.second_judge import SecondJudge, second_judge
from tests.learn.evaluation.material import FEW, Expert, cases

LABELS = tuple(f"label {number}" for number in range(10))
TICKETS = 4000
OPTIONS = Options(
    Prices({"one": 0.01, "two": 0.01, "small": 0.1}, 1.0), small_judge="small", bootstrap=FEW
)

Labels = NDArray[np.int64]


def named(gold: Labels, right: float, rng: np.random.Generator) -> Labels:
    """Labels that are the true ones by chance `right`, each ticket by itself."""
    other = (gold + rng.integers(1, len(LABELS), len(gold))) % len(LABELS)
    return np.where(rng.random(len(gold)) < right, gold, other)


def log(small: float, copies: float = 0.0, tickets: int = TICKETS, seed: int = 5) -> Dataset:
    """Two workers who are right on .8, a judge on .97; on a share of the tickets the small judge
    `copies` the first worker's label.
    """
    rng = np.random.default_rng(seed)
    gold = rng.integers(len(LABELS), size=tickets)
    one, two = (named(gold, 0.8, rng) for _ in range(2))
    own = named(gold, small, rng)
    said = (one, two, np.where(rng.random(tickets) < copies, one, own))
    return Dataset(
        "queue",
        LABELS,
        ("one", "two", "small"),
        tuple(Predictions(label_ids, None) for label_ids in said),
        Predictions(named(gold, 0.97, rng), None),
        gold,
        tuple(map(str, range(tickets))),
    )


def found(dataset: Dataset, options: Options = OPTIONS) -> SecondJudge:
    told = second_judge(dataset, options)
    assert told is not None
    return told


def test_it_pays_where_agreeing_with_a_worker_is_evidence() -> None:
    told = found(log(small=0.9))
    large, small, both = told.cascades
    beside = told.besides[0]
    assert told.verdict == "pays"
    assert beside.saves.low > 0.6
    assert beside.saves.value == pytest.approx(1 - both.cost.value / large.cost.value)
    assert beside.lead.value == pytest.approx(both.accuracy.value - large.accuracy.value)
    assert beside.as_good
    assert small.accuracy.value < large.accuracy.value - 0.01


def test_it_pays_where_it_knows_when_it_is_sure() -> None:
    workers = {"one": Expert(0.8, 0.7), "two": Expert(0.8, 0.7, 1), "small": Expert(0.99, 0.5)}
    told = found(cases(workers, Expert(0.95, 0.95), 1500), replace(OPTIONS, margin=0.02))
    assert told.verdict == "pays"
    assert all("sure" in setting for setting in told.cascades[2].settings)


def test_it_does_not_pay_where_it_could_stand_alone() -> None:
    assert found(log(small=0.99)).verdict == "the small judge is enough"


def test_it_does_not_pay_where_it_is_wrong_like_the_workers() -> None:
    told = found(log(small=0.8, copies=1))
    assert told.verdict == "not shown as good"
    assert told.besides[0].lead.high < -0.01
    assert told.besides[0].needed is None


def test_it_does_not_pay_where_it_costs_nearly_as_much() -> None:
    dear = Prices({"one": 0.01, "two": 0.01, "small": 0.9}, 1.0)
    assert found(log(small=0.9), replace(OPTIONS, costs=dear)).verdict == "not shown cheaper"


def test_one_that_is_worse_by_more_than_the_margin_is_seldom_said_to_pay() -> None:
    repeats = 100
    print("seeds", range(repeats))
    true = found(log(small=0.9, copies=0.08, tickets=100_000)).besides[0].lead.value
    assert -0.013 < true < -0.01
    logs = (log(small=0.9, copies=0.08, tickets=1000, seed=seed) for seed in range(repeats))
    told = [found(each) for each in logs]
    allowed = 0.05 + 2 * np.sqrt(0.05 * 0.95 / repeats)
    assert np.mean([each.verdict == "pays" for each in told]) <= allowed
    # Were the lead itself held against the margin, and not a test, it would be said of half.
    by_the_middle = [each.besides[0].lead.value >= -each.margin for each in told]
    assert np.mean(by_the_middle) > 3 * allowed


def test_few_tickets_show_nothing_and_it_is_said_how_many_would() -> None:
    told = found(log(small=0.9)[np.arange(200)])
    beside = told.besides[0]
    assert (told.verdict, beside.as_good) == ("not shown as good", False)
    assert beside.needed is not None
    assert 200 < beside.needed <= TICKETS


def test_a_small_judge_that_does_not_answer_settles_nothing() -> None:
    whole = log(small=0.9)
    one, two, _ = (predictions.label_ids for predictions in whole.worker_predictions)
    # Where both workers are silent as well there is nothing to agree on.
    silent = np.arange(TICKETS) % 4 == 0
    said = (*(np.where(silent, ABSTAINED, each) for each in (one, two)), np.full(TICKETS, -1))
    told = found(replace(whole, worker_predictions=tuple(Predictions(each, None) for each in said)))
    assert told.verdict == "not shown cheaper"
    assert told.besides[0].lead.value == 0
    assert told.besides[0].saves.value < 0


def test_tickets_without_a_truth_or_a_verdict_are_left_out() -> None:
    whole, some = log(small=0.9), np.arange(TICKETS) < 1000
    unknown = replace(
        whole,
        gold=np.where(some, whole.gold, UNKNOWN),
        judge=Predictions(np.where(np.arange(TICKETS) < 900, whole.judge.label_ids, -1), None),
    )
    assert found(unknown) == found(whole[np.arange(900)])


def test_without_a_truth_it_is_said_what_is_missing() -> None:
    whole = log(small=0.9)[np.arange(100)]
    blind = evaluate(replace(whole, gold=np.full(100, UNKNOWN)), OPTIONS)
    assert blind.second_judge is None
    assert any("second judge" in said for said in blind.missing)
    assert evaluate(whole, replace(OPTIONS, small_judge=None)).second_judge is None


def test_a_small_judge_is_a_worker_of_the_log_beside_others() -> None:
    whole = log(small=0.9)
    with pytest.raises(ConfigError, match="no worker huge"):
        second_judge(whole, replace(OPTIONS, small_judge="huge"))
    with pytest.raises(ConfigError, match="log a second worker"):
        second_judge(whole.of((0, 2)), OPTIONS)
