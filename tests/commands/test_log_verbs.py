"""replay, calibrate and evaluate, from the command line, on a log that the services wrote."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
import yaml

from streamer.cli import main
from streamer.config import load
from streamer.decide.calibrated import calibrated_rule
from streamer.decide.candidate import likeliest
from streamer.learn.evaluation.plots import Plot
from streamer.learn.replay.formerly import SINCE
from streamer.records.calibration import Calibration
from streamer.records.log import BallotLog, Log, VerdictLog, log_from_json, log_json
from streamer.records.log_file import LogWriter
from tests.learn import planted
from tests.learn.before import LABELS, WORKERS
from tests.learn.replay.test_formerly import LOG
from tests.learn.served import Serving

CASES = planted.well_behaved(np.random.default_rng(1), 600)


@pytest.fixture(scope="module")
def logs() -> list[Log]:
    return asyncio.run(Serving().log(CASES))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "streamer.yaml"
    task = {"labels": list(CASES.labels), "workers": list(CASES.workers), "calibration": "c.json"}
    path.write_text(yaml.safe_dump({"kafka": {"start": "earliest"}, "tasks": {"planted": task}}))
    return path


@pytest.fixture
def log(config: Path, logs: list[Log]) -> Path:
    return written(config.with_name("log.parquet"), logs)


@pytest.fixture
def gold(config: Path) -> Path:
    path = config.with_name("gold.csv")
    pairs = zip(CASES.ids, CASES.gold, strict=True)
    path.write_text(
        "id,label\n" + "".join(f"{name},{CASES.labels[code]}\n" for name, code in pairs)
    )
    return path


def written(path: Path, logs: list[Log]) -> Path:
    with LogWriter(path) as file:
        for one in logs:
            file.add(log_json(one))
    return path


def streamer(verb: str, config: Path, *arguments: object) -> int:
    return main([verb, "--config", str(config), *map(str, arguments)])


def test_a_log_is_reproduced(config: Path, log: Path, capsys) -> None:
    assert streamer("replay", config, log) == 0
    assert "600 ballots decided again, 0 decisions differ" in capsys.readouterr().out


def test_a_tampered_log_ends_with_1_and_shows_where(config: Path, logs: list[Log], capsys) -> None:
    changed = [
        replace(one, candidate="label 0") if isinstance(one, BallotLog) else one for one in logs
    ]
    assert streamer("replay", config, written(config.with_name("bad.parquet"), changed)) == 1
    shown = capsys.readouterr().out.splitlines()
    assert sum("ballot's candidate is 'label 0' in the log" in line for line in shown) == 20
    assert sum(line.startswith("... and ") for line in shown) == 1


def test_what_was_decided_otherwise_before_is_listed_apart_and_no_fault(
    config: Path, capsys
) -> None:
    before = [log_from_json(line) for line in LOG.read_bytes().splitlines()]
    old = [one for one in before if getattr(one, "calibration", None) is None]
    task = {"labels": list(LABELS), "workers": list(WORKERS)}
    config.write_text(yaml.safe_dump({"kafka": {"start": "earliest"}, "tasks": {"planted": task}}))
    assert streamer("replay", config, written(config.with_name("old.parquet"), old)) == 0
    shown = capsys.readouterr().out
    assert f"2 decisions decided otherwise since {SINCE}: at the threshold" in shown
    assert f"1 decision decided otherwise since {SINCE}: mean against majority" in shown
    assert "3 ballots decided again, 0 decisions differ" in shown
    assert isinstance(old[0], BallotLog)
    wrong = [replace(old[0], candidate="c"), *old[1:]]
    assert streamer("replay", config, written(config.with_name("wrong.parquet"), wrong)) == 1
    assert "3 ballots decided again, 1 decisions differ" in capsys.readouterr().out


def test_what_if_says_the_figures_and_of_what(config: Path, log: Path, capsys) -> None:
    more = ["--rule", "unanimity:confidence=min,at_least=0.5", "--mode", "hedged"]
    latencies = [f"--latency={name}=0.01" for name in (*CASES.workers, "judge")]
    assert streamer("replay", config, log, *more, *latencies) == 0
    said = capsys.readouterr().out
    for word in ("hedged, 600 tickets", "coverage", "fidelity", "judge rate", "waste", "p99"):
        assert word in said
    assert "of the uniform stratum alone" in said
    assert streamer("replay", config, log, "--mode", "optimistic") == 0
    assert "corrections" in capsys.readouterr().out
    assert streamer("replay", config, log, "--rule", "chow:0.2") == 0
    token, whole = ("v1:0.1", "v2:0.1", "v3:0.2"), ("diff:0.1", "opt:0.1", "opt_greedy:0.1")
    for after in (*token, *whole, "pool:0.4", "pool_linear:0.4"):
        assert streamer("replay", config, log, "--after", after) == 0


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (["--judge-budget", "15%"], "promised  nothing: a judge budget is an aim"),
        (["--fidelity", "0.8", "--confidence", "0.9"], "promised  fidelity of at least 0.8"),
        (["--fidelity", "0.9999"], "all tickets go to the judge"),
    ],
)
def test_a_wish_becomes_the_configured_file(
    config: Path, log: Path, wish: list[str], said: str, capsys
) -> None:
    assert streamer("calibrate", config, log, "--task", "planted", *wish) == 0
    assert said in capsys.readouterr().out
    made = Calibration.from_json(config.with_name("c.json").read_bytes())
    assert made.task == "planted"
    assert made.data.rows == 600
    assert made.models["one"].version == "1"
    assert calibrated_rule(made)
    assert load(config, {"tasks.planted.rule": "calibrated"})


def test_the_rule_of_now_stands_beside_and_what_is_said_to_write_is_right(
    config: Path, log: Path, capsys
) -> None:
    raw = yaml.safe_load(config.read_text())
    raw["tasks"]["planted"].pop("calibration", None)
    config.write_text(yaml.safe_dump(raw))
    wish = ["--task", "planted", "--judge-budget", "15%"]
    assert streamer("calibrate", config, log, *wish) == 0
    said = capsys.readouterr().out
    assert f"written to {config.with_name('planted.calibration.json')}" in said
    _, _, after = said.partition("\nnow       ")
    assert after.startswith("majority of one, two, three")
    assert "judge rate 0." in after.splitlines()[1]
    _, _, lines = said.partition("restart classify, judge and monitor:\n")
    written_lines = yaml.safe_load(lines)["tasks"]["planted"]
    raw["tasks"]["planted"] |= written_lines
    config.write_text(yaml.safe_dump(raw))
    assert main(["check", "--config", str(config)]) == 0
    assert capsys.readouterr().err == ""
    assert streamer("calibrate", config, log, *wish) == 0
    again = capsys.readouterr().out
    assert "tasks:" not in again
    assert "restart classify, judge and monitor" in again
    shares = [line.split("judge rate")[1] for line in again.splitlines() if "judge rate" in line]
    assert shares[0] == shares[1], "the same rule on the same tickets"


def test_what_promises_nothing_is_not_said_to_be_written(config: Path, log: Path, capsys) -> None:
    assert streamer("calibrate", config, log, "--task", "planted", "--fidelity", "0.9999") == 0
    assert "rule: calibrated" not in capsys.readouterr().out


def test_a_task_that_follows_another_cannot_be_calibrated(config: Path, log: Path, capsys) -> None:
    settings = yaml.safe_load(config.read_text())
    settings["tasks"]["first"] = {"labels": ["a", "b"], "workers": ["four", "five"]}
    settings["tasks"]["planted"]["when"] = {"task": "first", "equals": "a"}
    config.write_text(yaml.safe_dump(settings))
    assert streamer("calibrate", config, log, "--task", "planted", "--judge-budget", "0.1") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "tasks.planted.when names task first" in line


@pytest.mark.parametrize(("lost", "code"), [(6, 0), (7, 2)])
def test_tickets_without_a_verdict_are_refused_over_one_in_a_hundred(
    config: Path, logs: list[Log], lost: int, code: int, capsys
) -> None:
    gone = {one.ticket_id for one in logs[:lost]}
    some = [one for one in logs if isinstance(one, BallotLog) or one.ticket_id not in gone]
    path = written(config.with_name("gaps.parquet"), some)
    wish = ["--task", "planted", "--judge-budget", "0.1"]
    assert streamer("calibrate", config, path, *wish) == code
    assert ("audit.patience" in capsys.readouterr().err) == (code == 2)


@pytest.mark.parametrize(
    "arguments", [["replay", "LOG", "--rule", "majority"], ["evaluate", "LOG", "--out", "r"]]
)
def test_a_calibration_of_another_judge_is_refused(
    config: Path, log: Path, logs: list[Log], arguments: list[str], capsys
) -> None:
    wish = ["--task", "planted", "--judge-budget", "0.1"]
    assert streamer("calibrate", config, log, *wish) == 0
    newer = [replace(one, judge="8") if isinstance(one, VerdictLog) else one for one in logs]
    path = written(config.with_name("newer.parquet"), newer)
    capsys.readouterr()
    verb, *others = [str(path) if word == "LOG" else word for word in arguments]
    assert streamer(verb, config, *others) == 2
    assert "of judge 7, the log of judge 8" in capsys.readouterr().err.splitlines()[-1]


def test_a_calibrated_log_is_replayed_with_the_configured_file(
    config: Path, log: Path, capsys
) -> None:
    budget = ["--task", "planted", "--judge-budget", "30%"]
    assert streamer("calibrate", config, log, *budget) == 0
    made = Calibration.from_json(config.with_name("c.json").read_bytes())
    again = asyncio.run(Serving(calibrated_rule(made), calibration=made).log(CASES))
    served = written(config.with_name("served.parquet"), again)
    assert streamer("replay", config, served) == 0
    config.with_name("c.json").rename(config.with_name("old.json"))
    assert streamer("replay", config, served) == 2
    assert "--calibration" in capsys.readouterr().err
    assert streamer("replay", config, served, "--calibration", config.with_name("old.json")) == 0


def test_an_accuracy_is_promised_by_true_labels_of_a_file(
    config: Path, log: Path, gold: Path, capsys
) -> None:
    wish = ["--task", "planted", "--accuracy", "0.8", "--out", config.with_name("other.json")]
    assert streamer("calibrate", config, log, *wish) == 2
    assert "gold answers" in capsys.readouterr().err
    assert streamer("calibrate", config, log, *wish, "--gold", gold) == 0
    assert "promised  accuracy of at least 0.8" in capsys.readouterr().out
    assert config.with_name("other.json").exists()
    assert not config.with_name("c.json").exists()


@pytest.mark.parametrize(
    ("served", "reason"),
    [({"mode": "optimistic"}, "before the judge has seen"), ({"segments": "s"}, "its own way")],
)
def test_no_promise_is_made_of_what_is_published_otherwise(
    config: Path, log: Path, served: dict[str, str], reason: str, capsys
) -> None:
    known = yaml.safe_load(config.read_text())
    known["tasks"]["planted"] |= served
    config.write_text(yaml.safe_dump(known))
    to = ["--task", "planted", "--out", config.with_name("o.json")]
    for wish in (["--fidelity", 0.8], ["--accuracy", 0.8], ["--judge-budget", 0.3, "--margin", 1]):
        assert streamer("calibrate", config, log, *wish, *to) == 2
        assert reason in capsys.readouterr().err
    assert streamer("calibrate", config, log, "--judge-budget", "30%", *to) == 0
    said = capsys.readouterr()
    assert "planted: routed by" in said.err or "planted: served in mode optimistic" in said.err


@pytest.mark.slow
def test_with_a_margin_the_rule_after_the_judge_is_chosen_and_said_to_be_written(
    config: Path, log: Path, gold: Path, capsys
) -> None:
    wish = ["--task", "planted", "--judge-budget", "30%", "--margin"]
    assert streamer("calibrate", config, log, *wish, 1, "--gold", gold) == 0
    said = capsys.readouterr().out
    assert "1 points worse than the judge's own label" in said
    assert "by cross-fitting" in said
    made = Calibration.from_json(config.with_name("c.json").read_bytes())
    assert made.after is not None
    assert (made.after.holds, made.after.rows, made.after.margin) == (True, 600, 0.01)
    _, _, lines = said.partition("restart classify, judge and monitor:\n")
    assert yaml.safe_load(lines)["tasks"]["planted"]["after"] == "calibrated"
    known = yaml.safe_load(config.read_text())
    known["tasks"]["planted"] |= yaml.safe_load(lines)["tasks"]["planted"]
    config.write_text(yaml.safe_dump(known))
    for verb in (["evaluate", "--out", config.parent / "out"], ["replay", "--mode", "sequential"]):
        assert streamer(verb[0], config, log, *verb[1:]) == 0
    capsys.readouterr()
    assert streamer("calibrate", config, log, *wish[:-1]) == 0
    assert "give --margin" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([0.3], "no ticket has a known truth"),
        ([0.3, "--gold", "GOLD"], "600 known truths are too few: it takes "),
        ([101], "the margin must lie between 0 and 1"),
    ],
)
def test_what_proves_nothing_of_the_rule_after_the_judge_is_said(
    config: Path, log: Path, gold: Path, told: list[object], said: str, capsys
) -> None:
    margin = [gold if one == "GOLD" else one for one in told]
    wish = ["--task", "planted", "--judge-budget", "30%", "--margin", *margin]
    assert streamer("calibrate", config, log, *wish) == (2 if told == [101] else 0)
    told_here = capsys.readouterr()
    assert said in told_here.out + told_here.err
    if told != [101]:
        assert "after     v3 with alpha 0" in told_here.out


def test_an_accuracy_is_promised_of_what_the_rule_after_the_judge_lets_stand(
    config: Path, log: Path, gold: Path
) -> None:
    known, expected = yaml.safe_load(config.read_text()), []
    for alpha in (0.0, 1.0):
        known["tasks"]["planted"]["after"] = {"kind": "v3", "alpha": alpha}
        config.write_text(yaml.safe_dump(known))
        wish = ["--task", "planted", "--accuracy", "0.99", "--gold", gold]
        assert streamer("calibrate", config, log, *wish) == 0
        made = Calibration.from_json(config.with_name("c.json").read_bytes())
        expected.append(made.accuracy.value)
    workers = likeliest(CASES.worker_predictions).label_ids == CASES.gold
    assert expected[0] > 0.98
    assert expected[1] == pytest.approx(workers.mean(), abs=0.04)


def test_each_task_gets_a_page_and_json(
    config: Path, logs: list[Log], gold: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(Plot, "png", lambda plot: b"slow, and tested with the page")
    folder, ids = config.with_name("report"), CASES.ids[:60]
    small = written(config.with_name("small.parquet"), [x for x in logs if x.ticket_id in ids])
    assert streamer("evaluate", config, small, "--gold", gold, "--out", folder) == 0
    said = capsys.readouterr()
    assert "planted: 60 tickets" in said.out
    assert "no prices given" in said.err
    assert "540 true labels are of tickets that are not in the log" in said.err
    assert "<html" in (folder / "planted" / "report.html").read_text()
    report = orjson.loads((folder / "planted" / "report.json").read_bytes())
    assert (report["tickets"], report["graded"]) == (60, 60)


def test_a_worker_is_tried_as_a_second_judge(
    config: Path, logs: list[Log], gold: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(Plot, "png", lambda plot: b"slow, and tested with the page")
    folder, (small, *others) = config.with_name("report"), CASES.workers
    ids = CASES.ids[:60]
    log = written(config.with_name("small.parquet"), [x for x in logs if x.ticket_id in ids])
    asked = ["--gold", gold, "--out", folder, "--small-judge", small, "--margin", "0.5"]
    prices = [f"--price={name}=0.01" for name in others] + ["--price=judge=1"]
    assert streamer("evaluate", config, log, *asked, *prices, f"--price={small}=0.2") == 0
    assert f"{small} before the judge: not shown as good; it saves " in capsys.readouterr().out
    told = orjson.loads((folder / "planted" / "report.json").read_bytes())["second_judge"]
    assert (told["small"], told["margin"], told["tickets"]) == (small, 0.005, 60)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["replay", "none.parquet"], "as a log (No such file or directory); write it by"),
        (["replay", "LOG", "--rule", "v3:alpha=0"], "put it under `after`"),
        (["replay", "LOG", "--rule", "chow"], "alpha and kind chow"),
        (["replay", "LOG", "--rule", "chow:wide"], "rule.alpha"),
        (["replay", "LOG", "--rule", "majorty"], "did you mean majority?"),
        (["replay", "LOG", "--rule", "majority:confidense=mean"], "did you mean confidence?"),
        (["replay", "LOG", "--rule", "calibrated"], "streamer calibrate"),
        (["replay", "LOG", "--mode", "hedged"], "--latency"),
        (["replay", "LOG", "--after", "v9:0.1"], "no rule 'v9'"),
        (["replay", "LOG", "--after", "v3:much"], "KIND:ALPHA"),
        (["replay", "LOG", "--mode", "optimistic", "--task", "mood"], "no task 'mood'"),
        (["replay", "LOG", "--calibration", "LOG"], "no calibration"),
        (["calibrate", "LOG", "--task", "mood", "--judge-budget", "15%"], "no task 'mood'"),
        (["calibrate", "LOG", "--task", "planted", "--judge-budget", "150%"], "between 0 and 1"),
        (["evaluate", "LOG", "--out", "r", "--gold", "none.csv"], "can't read"),
        (["evaluate", "LOG", "--out", "r", "--price", "one=1"], "prices"),
        (["evaluate", "LOG", "--out", "r", "--small-judge", "one"], "prices alone say"),
    ],
)
def test_each_mistake_is_one_line_that_says_what_to_do(
    config: Path, log: Path, arguments: list[str], line: str, capsys
) -> None:
    verb, *others = [str(log) if word == "LOG" else word for word in arguments]
    assert streamer(verb, config, *others) == 2
    said = [one for one in capsys.readouterr().err.splitlines() if "no prices given" not in one]
    assert len(said) == 1
    assert line in said[0]


def test_a_log_without_the_stratum_says_so(config: Path, logs: list[Log], capsys) -> None:
    others = [replace(one, uniform=False) for one in logs if not isinstance(one, BallotLog)]
    path = written(config.with_name("other.parquet"), others)
    assert streamer("calibrate", config, path, "--task", "planted", "--judge-budget", "0.1") == 2
    assert "audit.share" in capsys.readouterr().err


@pytest.mark.parametrize("wish", [[], ["--fidelity", "0.9", "--accuracy", "0.9"]])
def test_a_calibration_needs_exactly_one_wish(config: Path, log: Path, wish: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        streamer("calibrate", config, log, "--task", "planted", *wish)
    assert stopped.value.code == 2
