"""`streamer judge --try` with a scripted judge."""

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from streamer.commands import judge_try
from streamer.config.settings import Settings
from streamer.judging.judge import Judge
from streamer.records.calibration import Model
from tests.services.judging import LABELS, Scripted, calibration

TEXT, RAW = "so so", (0.5, 0.3, 0.2)


def _settings(file: Path | None = None) -> Settings:
    task = {
        "labels": list(LABELS.labels),
        "workers": ["a", "b"],
        "calibration": file,
        "review_below": 0.6,
    }
    given = {"kafka": {"start": "earliest"}, "tasks": {"mood": task}}
    return Settings.model_validate(given)


def _calibrated(folder: Path, version: str) -> Settings:
    """With a calibration of this version of the judge."""
    workers = {name: Model("1", 1.0) for name in ("a", "b")}
    made = replace(calibration(0.5, version), models=workers)
    (folder / "mood.json").write_bytes(made.to_json())
    return _settings(folder / "mood.json")


def _tried(settings: Settings, as_json: bool, capsys: pytest.CaptureFixture[str]) -> str:
    judge = Scripted()
    judge.vectors[TEXT] = RAW

    async def load(_: Settings) -> Judge:
        return judge

    assert judge_try.run(settings, TEXT, None, as_json, load) == 0
    return capsys.readouterr().out


def test_probabilities_are_raw_without_a_calibration(capsys: pytest.CaptureFixture[str]) -> None:
    found = orjson.loads(_tried(_settings(), True, capsys))
    assert tuple(found["scores"].values()) == pytest.approx(RAW)
    assert found["calibration"] is None
    assert found["unsure"]


def test_a_calibration_s_temperature_is_in_them_as_in_the_service(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = _calibrated(tmp_path, "7")
    found = orjson.loads(_tried(settings, True, capsys))
    # At temperature 0.5, squares.
    assert tuple(found["scores"].values()) == pytest.approx((25 / 38, 9 / 38, 4 / 38), abs=1e-5)
    assert found["calibration"] is not None
    assert not found["unsure"]
    assert f"calibration {found['calibration']}" in _tried(settings, False, capsys)


def test_a_calibration_of_another_judge_is_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = _calibrated(tmp_path, "6")
    found = orjson.loads(_tried(settings, True, capsys))
    assert tuple(found["scores"].values()) == pytest.approx(RAW)
    assert found["calibration"] is None
    assert "another version of the judge" in _tried(settings, False, capsys)
