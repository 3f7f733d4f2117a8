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


def log(small: float, large: float = 0.97, copies: bool = False) -> Dataset:
    """Two workers who are right on .8; the small judge `copies` the first one's labels, or not."""
    rng = np.random.default_rng(5)
    gold = rng.integers(len(LABELS), size=TICKETS)
    one, two = (named(gold, 0.8, rng) for _ in range(2))
    said = (one, two, one if copies else named(gold, small, rng))
    return Dataset(
        "queue",
        LABELS,
        ("one", "two", "small"),
        tuple(Predictions(label_ids, None) for label_ids in said),
        Predictions(named(gold, large, rng), None),
        gold,
        tuple(map(str, range(TICKETS))),
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
    told = found(log(small=0.8, copies=True))
    assert told.verdict == "not shown as good"
    assert told.besides[0].lead.high < -0.01
    assert told.besides[0].needed is None


def test_it_does_not_pay_where_it_costs_nearly_as_much() -> None:
    dear = Prices({"one": 0.01, "two": 0.01, "small": 0.9}, 1.0)
    assert found(log(small=0.9), replace(OPTIONS, costs=dear)).verdict == "not shown cheaper"


def test_few_tickets_show_nothing_and_it_is_said_how_many_would() -> None:
    told = found(log(small=0.9)[np.arange(200)])
    beside = told.besides[0]
    assert (told.verdict, beside.as_good) == ("not shown as good", False)
    assert beside.needed is not None
    assert 200 < beside.needed <= TICKETS


def test_a_small_judge_that_does_not_answer_settles_nothing() -> None:
    whole = log(small=0.9)
    one, two, _ = (predictions.label_ids for predictions in whole.worker_predictions)
    some = np.arange(TICKETS) % 2 == 0
    # With a worker that is silent as well it has nothing to agree on.
    said = (np.where(some, ABSTAINED, one), two, np.full(TICKETS, ABSTAINED))
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
