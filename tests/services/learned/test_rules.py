"""A task's settings, and the rules before and after the judge that they make."""

from dataclasses import replace
from typing import get_args

import pytest

from streamer.config.tasks import Task
from streamer.decide.votes import Kind, Measure, VoteRule
from streamer.records.label import JUDGE_STANDS, After
from streamer.services.judge.judge_task import JudgeTask
from streamer.services.learned.rules import rule_after, rule_before
from tests.records.test_calibration import MADE, PROVEN

WORKERS = ["one", "two", "three"]


@pytest.mark.parametrize("measure", get_args(Measure))
@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_vote_rule_there_is_can_be_configured(kind: Kind, measure: Measure) -> None:
    # Where a new one can't: config/rules.py lists what the configuration may say.
    rule = {"kind": kind, "confidence": measure, "at_least": 0.7}
    task = Task.model_validate({"labels": ["a", "b"], "workers": WORKERS, "rule": rule})
    assert rule_before(task, None) == VoteRule(kind, len(WORKERS), measure, 0.7)


def test_the_rule_after_the_judge_is_the_configured_one_or_the_proven_one() -> None:
    raw = {"labels": ["a", "b"], "workers": WORKERS, "after": {"kind": "opt", "alpha": 3}}
    proven = replace(MADE, after=PROVEN)
    assert rule_after(Task.model_validate(raw), proven) == After("opt", 3.0)
    raw |= {"rule": "calibrated", "after": "calibrated", "calibration": "c.json"}
    task = Task.model_validate(raw)
    assert rule_after(task, proven) == PROVEN.rule
    assert JudgeTask.of(task, proven).after == PROVEN.rule
    # Neither a file of before nor one in which nothing was proven lets another label stand.
    nothing = replace(PROVEN, rule=JUDGE_STANDS, holds=False)
    for other in (MADE, replace(MADE, after=nothing), None):
        assert rule_after(task, other) == JUDGE_STANDS
