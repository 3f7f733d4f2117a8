"""Of a calibration counts what is true of the rule that is served."""

from dataclasses import replace

import pytest

from streamer.config.tasks import Task
from streamer.monitoring.expected import Expected
from streamer.records.calibration import Calibration, Estimate, Model, Reference
from streamer.records.label import Rule
from streamer.services.monitor.expectations import expected
from tests.records.test_calibration import MADE

REFERENCE = Reference({"a": 0.7, "b": 0.3}, {"w1/w2": 0.9, "w1/w3": 0.8, "w2/w3": 0.85})
WORKERS = ("w1", "w2", "w3")
MADE_MS = 1_767_225_600_000
CALIBRATED = replace(
    MADE,
    models={name: Model("1", 1.0) for name in WORKERS},
    rule=Rule("majority", 2, 3),
    router=None,
    judge_rate=Estimate(0.2, 0.1, 0.3, 100),
    reference=REFERENCE,
)


def task(rule: str) -> Task:
    raw = {"labels": ["a", "b"], "workers": [*WORKERS], "rule": rule, "calibration": "a.json"}
    return Task.model_validate(raw)


def test_the_calibrated_rule_is_held_to_all_that_was_found() -> None:
    found = expected(task("calibrated"), CALIBRATED)
    assert found == Expected(
        coverage=0.8,
        fidelity=0.97,
        agreement={"w1/w2": 0.9},
        labels=REFERENCE.labels,
        source=f"calibration {CALIBRATED.version}",
        since_ms=MADE_MS,
    )
    assert found.complete


def test_a_rule_that_asks_all_is_held_to_every_pair() -> None:
    asking = replace(CALIBRATED, rule=Rule("unanimity", 3, 3, "ensemble", 0.9))
    assert expected(task("calibrated"), asking).agreement == REFERENCE.agreement


def test_another_rule_is_held_to_nothing_but_its_first_workers() -> None:
    assert expected(task("unanimity"), CALIBRATED) == Expected(
        agreement=expected(task("unanimity"), CALIBRATED).agreement, since_ms=MADE_MS
    )
    assert expected(task("majority"), CALIBRATED).agreement == {"w1/w2": 0.9}


def promised(**changes: object) -> Calibration:
    assert CALIBRATED.guarantee is not None
    return replace(CALIBRATED, guarantee=replace(CALIBRATED.guarantee, **changes))


@pytest.mark.parametrize(
    "calibration",
    [
        replace(CALIBRATED, guarantee=None),
        promised(holds=False),
        promised(measure="accuracy"),
    ],
)
def test_only_a_promise_of_fidelity_that_holds_can_be_broken(calibration: Calibration) -> None:
    assert expected(task("calibrated"), calibration).fidelity is None


def test_of_an_old_file_without_a_reference_the_rate_is_left() -> None:
    old = expected(task("calibrated"), replace(CALIBRATED, reference=None))
    assert old == Expected(coverage=0.8, fidelity=0.97, since_ms=MADE_MS)
