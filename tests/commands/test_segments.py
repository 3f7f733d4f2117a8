"""`streamer segments fit` on a log that the services wrote, with the real encoder."""

import asyncio
import csv
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from streamer.cli import main
from streamer.records.log import log_json
from streamer.records.log_file import LogWriter
from tests.learn import planted
from tests.learn.served import Serving
from tests.stage import JUDGE_PYTHON

COUNT = 160
CASES = planted.well_behaved(np.random.default_rng(1), COUNT)
SAID = (
    "My card was charged two times for one invoice, please refund me",
    "The app crashes with an error when I open the board",
    "My parcel did not arrive and the courier has a wrong address",
    "I forgot my password and my account is locked",
)
HOSTILE = "\x1b[31m<script>alert(1)</script>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration, a log, and the tickets: some of them odd, one not in the file."""
    where = tmp_path_factory.mktemp("helpdesk")
    task = {"labels": list(CASES.labels), "workers": list(CASES.workers)}
    body = {
        "kafka": {"start": "earliest"},
        "judge": {"python": str(JUDGE_PYTHON)},
        "tasks": {"planted": task},
    }
    (where / "streamer.yaml").write_text(yaml.safe_dump(body))
    with LogWriter(where / "log.parquet") as log:
        for one in asyncio.run(Serving().log(CASES)):
            log.add(log_json(one))
    with (where / "tickets.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text"])
        for number, name in enumerate(CASES.ids[:-1]):
            rows.writerow([name, f"{SAID[number % len(SAID)]}, since {number} days"])
        rows.writerow([CASES.ids[4], "\U0001f621\U0001f621"])
        rows.writerow([CASES.ids[8], f"{HOSTILE} {SAID[0]} " * 500])
        rows.writerow(["of no log", SAID[0]])
        rows.writerow(["T-9", "  "])
    return where


def fit(folder: Path, *more: str) -> int:
    log, tickets = (str(folder / name) for name in ("log.parquet", "tickets.csv"))
    words = ["segments", "fit", log, "--config", str(folder / "streamer.yaml")]
    return main([*words, "--tickets", tickets, "--out", str(folder / "segments"), *more])


def test_a_version_is_written_and_the_next_keeps_its_names(folder: Path, capsys) -> None:
    assert fit(folder, "--k", "4") == 0
    shown = capsys.readouterr()
    assert "version" in shown.out
    assert "\x1b" not in shown.out
    assert "1 logged tickets have no text" in shown.err
    assert "1 tickets have no letter or digit" in shown.err
    assert "1 tickets are longer" in shown.err
    assert "left out: no id or no text" in shown.err
    assert not json.loads((folder / "segments/1/routing.json").read_bytes())["tasks"]
    assert "<script>" not in (folder / "segments/1/report.html").read_text()

    assert fit(folder, "--k", "4", "--seed", "2", "--no-text", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["folder"].endswith("segments/2")
    assert len(said["segments"]) == 4
    assert not any(one["new"] for one in said["segments"])
    first = json.loads((folder / "segments/1/segments.json").read_bytes())["segments"]
    assert {one["name"] for one in said["segments"]} == {one["name"] for one in first}
    assert "blockquote>" not in (folder / "segments/2/report.html").read_text()


@pytest.mark.slow
def test_ways_are_chosen_for_a_budget_and_shown(folder: Path, capsys) -> None:
    assert fit(folder, "--k", "2", "--judge-budget", "20%") == 0
    assert "planted: a way per segment agrees with the judge on" in capsys.readouterr().out
    newest = max((folder / "segments").iterdir(), key=lambda path: int(path.name))
    routing = json.loads((newest / "routing.json").read_bytes())
    assert routing["segments"] == json.loads((newest / "segments.json").read_bytes())["version"]
    assert routing["tasks"]["planted"]["budget"] == 0.2
    assert routing["gate"]["at_least"] >= 0.5
    assert (newest / "model.npz").exists()
    assert "a way for every segment" in (newest / "report.html").read_text()


def test_a_file_of_other_tickets_is_refused(folder: Path, tmp_path: Path, capsys) -> None:
    other = tmp_path / "other.csv"
    other.write_text("id,text\nX-1,hello\n")
    assert fit(folder, "--tickets", str(other)) == 2
    assert "no ticket of the log is in the file" in capsys.readouterr().err


def test_a_log_without_the_stratum_is_refused(folder: Path, tmp_path: Path, capsys) -> None:
    with LogWriter(tmp_path / "empty.parquet"):
        pass
    words = ["segments", "fit", str(tmp_path / "empty.parquet"), "--tickets", "t.csv"]
    assert main([*words, "--config", str(folder / "streamer.yaml")]) == 2
    assert "raise audit.share" in capsys.readouterr().err
