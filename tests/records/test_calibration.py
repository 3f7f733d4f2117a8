"""A calibration survives its file, and nothing else passes for one."""

from dataclasses import replace

import orjson
import pytest

from streamer.decide.calibrated import calibrated_rule
from streamer.decide.chow import Chow
from streamer.decide.router import Router
from streamer.decide.votes import VoteRule
from streamer.records.calibration import (
    Calibration,
    Data,
    Estimate,
    Guarantee,
    Lead,
    Model,
    ProvenAfter,
    Reference,
    RouterWeights,
    Wish,
)
from streamer.records.label import After, Rule

WEIGHTS = RouterWeights((0.5, 0.25), -1.5, (0.1,) * 6, (0.0, 1.0))
SOME = Estimate(0.5, 0.4, 0.6, 100)
MADE = Calibration(
    task="intent",
    label_set="abc",
    made_at="2026-01-01T00:00:00Z",
    data=Data("00ff", 100, 10, "2025-12-01T00:00:00Z", "2025-12-31T00:00:00Z"),
    models={"one": Model("3", 1.5), "two": Model(None, 1.0)},
    judge=Model("7", 0.9),
    rule=Rule("router", 2, 2, at_least=0.75),
    router=WEIGHTS,
    wish=Wish("fidelity", 0.97, 0.95),
    guarantee=Guarantee(
        True, "a method", "fidelity", 0.97, 0.95, 99, 100, 0.972, {"yes": 60}, ("no",)
    ),
    judge_rate=SOME,
    fidelity=SOME,
    accuracy=Estimate(None, 0.0, 1.0, 0),
)


PROVEN = ProvenAfter(
    rule=After("pool", 0.3),
    method="a method",
    margin=0.003,
    confidence=0.95,
    holds=True,
    rows=1700,
    gained=8,
    lost=2,
    bound=0.0004,
    lead=Lead(0.003, -0.0003, 0.008, 2900),
)


@pytest.mark.parametrize(
    "made",
    [
        MADE,
        replace(MADE, router=None, guarantee=None),
        replace(MADE, after=PROVEN),
        replace(MADE, after=replace(PROVEN, holds=False, lead=None)),
    ],
)
def test_reads_what_it_wrote(made: Calibration) -> None:
    read = Calibration.from_json(made.to_json())
    assert read == made
    assert read.version == made.version
    assert list(read.models) == ["one", "two"]


def test_any_change_is_another_version() -> None:
    versions = {
        MADE.version,
        replace(MADE, label_set="abd").version,
        replace(MADE, judge=Model("8", 0.9)).version,
        replace(MADE, rule=replace(MADE.rule, at_least=0.76)).version,
        replace(MADE, after=PROVEN).version,
    }
    assert len(versions) == 5


def test_a_file_of_before_there_was_a_reference_keeps_its_version() -> None:
    assert MADE.reference is None
    assert b"reference" not in MADE.to_json()
    assert MADE.version == "641bcbeee2a9"
    seen = replace(MADE, reference=Reference({"yes": 0.75, "no": 0.25}, {"one/two": 0.9}))
    assert seen.version != MADE.version
    assert Calibration.from_json(seen.to_json()) == seen


@pytest.mark.parametrize("field", ["task", "data", "rule", "guarantee", "surprise"])
def test_a_field_too_few_or_too_many_is_refused(field: str) -> None:
    raw = orjson.loads(MADE.to_json())
    if raw.pop(field, None) is None:
        raw[field] = 1
    with pytest.raises((ValueError, TypeError, KeyError)):
        Calibration.from_json(orjson.dumps(raw))


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (Rule("majority", 2, 2), VoteRule("majority", 2)),
        (Rule("unanimity", 2, 2, "min", 0.9), VoteRule("unanimity", 2, "min", 0.9)),
        (Rule("chow", 2, 2, alpha=0.25), Chow(0.25, 2)),
        (Rule("chow", 1, 2, alpha=0.25, worker="two"), Chow(0.25, 2, 1)),
        (Rule("router", 2, 2, at_least=0.75), Router(WEIGHTS, 0.25)),
    ],
)
def test_the_rule_is_built_as_it_was_described(recorded: Rule, expected: object) -> None:
    rule = calibrated_rule(replace(MADE, rule=recorded))
    assert rule == expected
    assert rule.described(("one", "two")) == recorded


@pytest.mark.parametrize(
    "recorded", [Rule("oracle", 2, 2), Rule("chow", 2, 2), Rule("majority", 2, 2, "mode", 0.5)]
)
def test_a_rule_that_nobody_knows_is_refused(recorded: Rule) -> None:
    with pytest.raises(ValueError, match="calibrate again"):
        calibrated_rule(replace(MADE, rule=recorded))
