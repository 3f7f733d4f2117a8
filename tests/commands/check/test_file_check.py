from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from streamer.cli import main
from streamer.config.tasks import WorkerKind
from streamer.learn.kinds import KINDS
from streamer.records.calibration import Model
from streamer.records.label import Rule
from streamer.records.labelset import LabelSet
from tests.records.test_calibration import MADE

GOOD = replace(
    MADE,
    task="t",
    label_set=LabelSet(("a", "b")).version,
    models={"x": Model(None, 1.0), "y": Model(None, 1.0)},
    rule=Rule("majority", 2, 2, "mean", 0.8),
    router=None,
)


def checked(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    blocks: dict[str, Any] | None = None,
    **task: Any,
) -> tuple[int, str]:
    given = {"labels": ["a", "b"], "workers": ["x", "y"], **task}
    raw = {"kafka": {"start": "earliest"}, "tasks": {"t": given}, **(blocks or {})}
    path = folder / "streamer.yaml"
    path.write_text(yaml.safe_dump(raw))
    code = main(["check", "--config", str(path)])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "can't read"),
        (b"", "is no calibration"),
        (GOOD.to_json()[:100], "is no calibration (it is cut off, or no JSON); run"),
        (b"[]", "is no calibration"),
        (GOOD.to_json().replace(b'"models":{', b'"models":[],"other":{'), "is no calibration"),
        (GOOD.to_json().replace(b'"router"', b'"other"'), "(it lacks 'router'); run"),
        (GOOD.to_json().replace(b'"temperature"', b'"other"'), "not those of this release); run"),
        (replace(GOOD, task="other").to_json(), "is of task 'other'"),
        (replace(GOOD, label_set="0").to_json(), "label set 0"),
        (replace(GOOD, rule=Rule("magic", 2, 2)).to_json(), "calibrate again"),
    ],
)
def test_a_calibration_that_no_service_would_take_is_a_problem(
    written: bytes | None, said: str, tmp_path: Path, capsys
) -> None:
    if written is not None:
        (tmp_path / "t.json").write_bytes(written)
    code, err = checked(tmp_path, capsys, calibration="t.json", rule="calibrated")
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_a_good_calibration_is_good_and_unused_it_is_a_warning(tmp_path: Path, capsys) -> None:
    (tmp_path / "t.json").write_bytes(GOOD.to_json())
    assert checked(tmp_path, capsys, calibration="t.json", rule="calibrated") == (0, "")
    code, err = checked(tmp_path, capsys, calibration="t.json")
    assert code == 0
    assert err.startswith("warning: tasks.t.calibration: the rule is majority")
    assert "write `rule: calibrated`" in err


def test_kinds_of_workers_are_those_that_can_be_trained(tmp_path: Path, capsys) -> None:
    assert set(get_args(WorkerKind)) == set(KINDS)
    code, err = checked(tmp_path, capsys, workers=[{"model": "x", "kind": "word_ngram"}, "y"])
    assert code == 2
    assert "did you mean word_ngrams?" in err


def test_labels_that_look_nearly_alike_are_a_warning(tmp_path: Path, capsys) -> None:
    code, err = checked(tmp_path, capsys, labels=["Bug", "bug", "question"])
    assert code == 0
    assert "'Bug' and 'bug' look nearly alike" in err


def test_each_task_says_what_is_wrong_with_it(tmp_path: Path, capsys) -> None:
    other = {"labels": ["a", "b"], "workers": ["m", "n"], "calibration": "u.json"}
    given = {"labels": ["a", "b"], "workers": ["x", "y"], "segments": "segments/1"}
    tasks = {"t": {**given, "calibration": "t.json"}, "u": other}
    code, err = checked(tmp_path, capsys, {"tasks": tasks})
    assert code == 2
    keys = ("t.calibration", "t.segments", "u.calibration")
    assert [err.count(f"tasks.{key}: can't read") for key in keys] == [1, 1, 1]
