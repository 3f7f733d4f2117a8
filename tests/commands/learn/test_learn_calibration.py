"""A trial of a task that is calibrated: which calibration comes with the promotion."""

import json
from pathlib import Path

import pytest

from streamer.cli import main
from tests.commands.learn.scene import Folder, Say, entries


def calibrated(folder: Folder, log: Path, out: str, *more: str) -> int:
    words = ["calibrate", str(log), "--task", "planted", "--judge-budget", "20%"]
    words += ["--out", str(folder.where / out), "--config", str(folder.config), *more]
    return main(words)


def test_a_calibration_is_replaced_with_the_versions_that_it_is_of(
    folder: Folder, learn: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    better = folder.log("better")
    assert calibrated(folder, better, "old.json") == 0
    folder.write(rule="calibrated", calibration="old.json")
    assert learn("start", better, "--worker", "one=2") == 0
    before = folder.settings
    assert learn("judge", better) == 0
    assert "--trial --judge-budget SHARE --out" in capsys.readouterr().out
    assert learn("promote", better) == 2
    assert "classify would refuse to start with it" in capsys.readouterr().err

    new, old = folder.where / "new.json", folder.where / "old.json"
    assert learn("promote", better, "--calibration", old) == 2
    assert "is of version 1 of one, and version 2 is on trial" in capsys.readouterr().err
    assert calibrated(folder, better, "new.json", "--trial") == 0
    assert json.loads(new.read_bytes())["models"]["one"]["version"] == "2"
    assert json.loads(new.read_bytes())["models"]["two"]["version"] == "1"
    assert learn("judge", better, "--calibration", new) == 0
    assert "planted: better" in capsys.readouterr().out
    assert learn("promote", better, "--calibration", new) == 0
    assert "restart classify, judge and monitor" in capsys.readouterr().out
    task = folder.settings.tasks["planted"]
    assert task.calibration == Path("new.json")
    assert task.workers[0].version == "2"
    assert len(entries(folder)[-1]["calibration"]) == 12

    assert learn("rollback") == 0
    found = folder.settings.tasks["planted"]
    assert found.calibration == Path("old.json")
    trial = before.tasks["planted"]
    unshadowed = [worker.model_copy(update={"shadow": None}) for worker in trial.workers]
    assert [worker.version for worker in unshadowed] == ["1", "1", "1"]
    assert found == trial.model_copy(update={"workers": tuple(unshadowed)})


def test_a_calibration_that_was_written_over_the_old_one_is_refused(
    folder: Folder, learn: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    better = folder.log("better")
    assert calibrated(folder, better, "one.json") == 0
    folder.write(rule="calibrated", calibration="one.json")
    assert learn("start", better, "--worker", "one=2") == 0
    assert calibrated(folder, better, "one.json", "--trial") == 0
    capsys.readouterr()
    assert learn("promote", better, "--calibration", folder.where / "one.json") == 2
    assert "a rollback needs its content of before" in capsys.readouterr().err


def test_a_calibration_for_the_trial_needs_a_trial_and_a_file(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrated(folder, folder.log("better"), "new.json", "--trial") == 2
    assert "nothing is on trial" in capsys.readouterr().err
