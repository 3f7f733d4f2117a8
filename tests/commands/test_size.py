"""`streamer size` as an operator calls it."""

import json
from pathlib import Path

import pytest

from streamer.cli import main
from streamer.observe.metrics import Metrics


def test_every_figure_comes_with_its_formula(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["size", "--rate", "500", "--coverage", "85%"]) == 0
    out = capsys.readouterr().out
    assert "rate x tasks x (1 - coverage) = 500 x 1 x 0.15" in out
    assert "50000 / 250" in out
    assert out.count("times the rate for 5.0 min") == 2


def test_machines_read_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--rate", "500", "--coverage", "0.85", "--judge-start", "300", "--most-judges", "1"]
    assert main(["size", *given, "--burst", "4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["judges"], found["most_judges"], found["judge_partitions"]) == (1, 1, 6)
    (burst,) = found["bursts"]
    # 300 a second come for 300 s and 200 are served; then 125 a second less come than that.
    assert burst["most"] == pytest.approx(30_000)
    assert burst["empty_at"] == pytest.approx(300 + 30_000 / 125)


def test_a_queue_that_is_never_empty_again_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    # One judge does just what comes, so what a burst left stays.
    given = ["--rate", "150", "--coverage", "0.5", "--audit", "0", "--busy", "1"]
    given += ["--judge-tokens", "18750", "--most-judges", "1"]
    assert main(["size", *given]) == 0
    assert capsys.readouterr().out.count("never empty again: allow more judges") == 2
    assert main(["size", *given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bursts"][0]["empty_at"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        ("--coverage", "1.5"),
        ("--rate", "0"),
        ("--rate", "nan"),
        ("--busy", "0"),
        ("--judge-start", "-1"),
        ("--burst-lasts", "0"),
    ],
)
def test_what_is_no_load_is_one_line(
    wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"--rate": "1", "--coverage": "0.5"} | dict([wrong])
    assert main(["size", *[word for option in given.items() for word in option]]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_tokens_are_those_that_judges_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "one.txt", tmp_path / "two.txt", tmp_path / "judge.json"]
    for file, verdicts, computed in zip(files, (2, 8), (100, 50), strict=False):
        metrics = Metrics(["intent"])
        for purpose in ("decide", "audit") * (verdicts // 2):
            metrics.judged("intent", purpose)
            metrics.took("intent", computed + 700, 700, 1)
        file.write_bytes(metrics.render())
    told = [{"price": {"tokens": 40.0}}, {"price": {"tokens": 400.0}}]
    files[2].write_text(json.dumps({"told_on": 10, "told": told}))
    given = ["size", "--rate", "500", "--coverage", "85%", "--measured"]
    for some, tokens, verdicts in ((files[:1], 100, 2), (files[:2], 60, 10), (files, 50, 20)):
        assert main([*given, *map(str, some), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["ticket_tokens"], found["measured_on"]) == (tokens, verdicts)
        assert found["judged"] == pytest.approx(50_000 / tokens)
    assert main([*given, *map(str, files)]) == 0
    assert "50000 / 50; the latter is measured on 20 verdicts" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        Metrics(["intent"]).render().decode(),
        '{"told_on": 10, "told": [{"price": {"tokens": null}}]}',
        '{"told": []}',
        "{",
    ],
)
def test_a_file_without_verdicts_is_one_line(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "given"
    if text is not None:
        file.write_text(text)
    assert main(["size", "--rate", "1", "--coverage", "0", "--measured", str(file)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "judge --test" in said
