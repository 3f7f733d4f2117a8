"""Of a calibration counts what is true of the rule that is served, of segments their sizes."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from streamer.config import load
from streamer.config.tasks import Task
from streamer.errors import ConfigError
from streamer.monitoring.expected import Expected
from streamer.monitoring.expected_segments import ExpectedSegments
from streamer.records.calibration import Calibration, Estimate, Model, Reference
from streamer.records.label import Rule
from streamer.services.learned.routing_file import read_routing
from streamer.services.monitor.expectations import expectations, expected, routed
from tests.records.test_calibration import MADE
from tests.routed import word_gate, write_routing, write_segments

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
        calibration=CALIBRATED.version,
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
    bare = replace(CALIBRATED, reference=None)
    old = expected(task("calibrated"), bare)
    assert old == Expected(coverage=0.8, fidelity=0.97, since_ms=MADE_MS, calibration=bare.version)


KEY = "tasks.t.segments"


def version(folder: Path, *sizes: int) -> Path:
    """A version of the segments with these sizes, numbered from 2 on."""
    made = folder / "segments" / "1"
    numbered = dict(enumerate(sizes, 2))
    write_segments(made, numbered)
    write_routing(made, word_gate(), [*numbered])
    return made


def test_segments_are_expected_with_the_shares_that_they_were_found_with(tmp_path: Path) -> None:
    folder = version(tmp_path, 60, 30, 10)
    found = routed(expected(task("calibrated"), CALIBRATED), KEY, folder)
    assert found == Expected(
        fidelity=0.97,
        since_ms=MADE_MS,
        segments=ExpectedSegments(
            version=read_routing(KEY, folder).version,
            names={"2": "words 2", "3": "words 3", "4": "words 4"},
            shares={"2": 0.6, "3": 0.3, "4": 0.1},
        ),
    )
    assert not found.complete, "the rest is seen in the first windows"


def test_it_is_the_same_when_files_were_copied(tmp_path: Path) -> None:
    folder = version(tmp_path, 60)
    before = routed(Expected(), KEY, folder)
    os.utime(folder / "segments.json", (1, 1))
    assert routed(Expected(), KEY, folder) == before


def configured(tmp_path: Path, **tasks: dict[str, object]) -> Path:
    path = tmp_path / "streamer.yaml"
    plain = {"labels": ["a", "b"], "workers": ["one", "two"]}
    raw = {name: plain | more for name, more in tasks.items()}
    path.write_text(yaml.safe_dump({"kafka": {"start": "earliest"}, "tasks": raw}))
    return path


def test_only_tasks_with_segments_expect_any(tmp_path: Path) -> None:
    version(tmp_path, 60, 40)
    found = expectations(load(configured(tmp_path, t={"segments": "segments/1"}, other={})))
    assert set(found) == {"t"}
    assert found["t"].segments is not None
    assert found["t"].segments.called("3") == "segment 3 'words 3'"


def test_segments_that_are_not_there_are_told(tmp_path: Path) -> None:
    settings = load(configured(tmp_path, t={"segments": "segments/7"}))
    with pytest.raises(ConfigError, match="can't be read as segments"):
        expectations(settings)


def test_a_version_without_its_routing_is_told(tmp_path: Path) -> None:
    write_segments(tmp_path / "segments" / "7", {2: 60})
    settings = load(configured(tmp_path, t={"segments": "segments/7"}))
    with pytest.raises(ConfigError, match=r"tasks\.t\.segments: can't read .*routing\.json"):
        expectations(settings)
