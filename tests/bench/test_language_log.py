"""Cascades of a log of language models, by their own seconds, held against a log made by hand."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from bench.language_log import family, losers, timed
from bench.llm_log import LlmLog
from streamer.learn.measures.shares import Committee, Share

LOG = LlmLog(
    labels=("card", "loan"),
    gold=np.array([0, 0, 1, 1]),
    ids=("a", "b", "c", "d"),
    answers={
        "judge": np.array([0, 0, 1, 0]),
        "quick": np.array([0, 1, 1, 0]),
        "even": np.array([0, 0, 1, 1]),
        "slow": np.array([0, 0, 0, -1]),
    },
    seconds={
        "judge": np.array([4.0, 8.0, 4.0, 4.0]),
        "quick": np.array([1.0, 1.0, 1.0, 1.0]),
        "even": np.array([2.0, 1.0, 2.0, 1.0]),
        "slow": np.array([9.0, 9.0, 9.0, 9.0]),
    },
)


def test_a_pair_asks_the_judge_where_it_differs_and_waits_for_the_slower_of_the_two() -> None:
    pair = timed(LOG, "judge", Committee(("quick", "even"), "majority"))
    # They agree on a and c, rightly; b and d go to the judge, which is wrong on d.
    assert pair.figures.coverage == Share(2, 4)
    assert pair.figures.fidelity == Share(2, 2)
    assert pair.figures.agreement == Share(2, 4)
    assert pair.figures.accuracy == Share(3, 4)
    assert pair.at_once == pytest.approx(20 / (2 + 1 + 8 + 2 + 1 + 4))
    assert pair.in_turn == pytest.approx(20 / (3 + 2 + 8 + 3 + 2 + 4))
    assert pair.predicted == pytest.approx(1 / (2.5 / 5 + 1 - 0.5))


def test_a_majorities_third_worker_takes_time_only_where_the_first_two_differ() -> None:
    three = timed(LOG, "judge", Committee(("quick", "even", "slow"), "majority"))
    # On d the third names no label, and two to one it is not: the judge.
    assert three.figures.coverage == Share(3, 4)
    assert three.at_once == pytest.approx(20 / (2 + (1 + 9) + 2 + (1 + 9 + 4)))
    assert three.in_turn == pytest.approx(20 / (3 + (2 + 9) + 3 + (2 + 9 + 4)))


def test_unanimity_asks_the_third_worker_only_where_the_first_two_agree() -> None:
    three = timed(LOG, "judge", Committee(("quick", "even", "slow"), "unanimity"))
    assert three.figures.coverage == Share(1, 4)
    assert three.at_once == pytest.approx(20 / ((2 + 9) + (1 + 8) + (2 + 9 + 4) + (1 + 4)))


def test_all_sets_of_the_other_models_are_tried_the_quickest_first() -> None:
    found = family(LOG, "judge", 2, "majority")
    assert [each.workers for each in found] == [
        ("quick", "even"),
        ("even", "slow"),
        ("quick", "slow"),
    ]


def test_who_loses_is_told_by_the_workers_all_of_whose_sets_do() -> None:
    found = family(LOG, "judge", 2, "majority")
    assert losers(found, lambda each: each.at_once) == "2 of 3: all with slow"
    assert losers(found, lambda each: 2.0) == "0 of 3"
    assert losers(found, lambda each: 0.5) == "3 of 3"
    three = family(LOG, "judge", 3, "majority")
    assert losers([*three, *found], lambda each: 0.5 if len(each.workers) == 3 else 2.0) == (
        "1 of 4: quick + even + slow"
    )


def test_a_models_seconds_stand_behind_its_answer(tmp_path: Path) -> None:
    file = tmp_path / "log.csv.gz"
    with gzip.open(file, "wt", encoding="utf-8") as out:
        out.write(
            "id,product,narrative,some_prediction,time-some-1,other_prediction,time-other-2024\n"
            "1,loan,text,card,1.5,loan,2\n2,card,text,A loan,0.5,card,3\n"
        )
    log = LlmLog.read(file)
    assert log.labels == ("card", "loan")
    assert {name: said.tolist() for name, said in log.answers.items()} == {
        "some": [0, -1],
        "other": [1, 0],
    }
    assert {name: taken.tolist() for name, taken in log.seconds.items()} == {
        "some": [1.5, 0.5],
        "other": [2.0, 3.0],
    }
    assert log.by_accuracy == ["other", "some"]
    cases = log.cases(["other"], "some")
    assert (cases.workers, cases.judge.label_ids.tolist()) == (("other",), [0, -1])
