"""A task's settings, and the rule before the judge that they make."""

from typing import get_args

import pytest

from streamer.config.tasks import Task
from streamer.decide.votes import Kind, Measure, VoteRule
from streamer.services.learned.rules import rule_before

WORKERS = ["one", "two", "three"]


@pytest.mark.parametrize("measure", get_args(Measure))
@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_vote_rule_there_is_can_be_configured(kind: Kind, measure: Measure) -> None:
    # Where a new one can't: config/rules.py lists what the configuration may say.
    rule = {"kind": kind, "confidence": measure, "at_least": 0.7}
    task = Task.model_validate({"labels": ["a", "b"], "workers": WORKERS, "rule": rule})
    assert rule_before(task, None) == VoteRule(kind, len(WORKERS), measure, 0.7)
