"""`streamer init --prompts` writes what `streamer check` then finds good."""

from pathlib import Path

import pytest
import yaml

from streamer.cli import main
from streamer.judging.llm.prompt import load_prompts
from streamer.records.labelset import LabelSet

LABELS = ("bug_report", "refund", "null")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "streamer.yaml"
    task = {"labels": list(LABELS), "workers": ["a", "b"]}
    given = {
        "kafka": {"start": "earliest"},
        "tasks": {"topic": task, "other": task | {"workers": ["c", "d"]}},
        "judge": {"kind": "llm"},
    }
    path.write_text(yaml.safe_dump(given))
    return path


def test_missing_prompts_are_written_and_good(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--config", str(config)]) == 2
    assert capsys.readouterr().err.count("run `streamer init --prompts`") == 2
    assert main(["init", "--prompts", "--out", str(config)]) == 0
    assert main(["check", "--config", str(config)]) == 0
    held = load_prompts(config.parent / "prompts", {"topic": LabelSet(LABELS)})
    assert held["topic"][0].descriptions[0] == "tickets about bug report"


def test_a_prompt_that_is_there_stays_as_it_is(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = config.parent / "prompts" / "topic.yaml"
    mine.parent.mkdir()
    mine.write_text("instructions: mine")
    assert main(["init", "--prompts", "--out", str(config)]) == 0
    assert mine.read_text() == "instructions: mine"
    assert "is there already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("instructions: x\nlabels: {bug_report: a, refund: b}\n", "'null' of task topic"),
        ("instructions: x\nlabels: {bug_report: a, refund: b, 'null': c, more: d}\n", "more"),
        ("labels: {bug_report: a, refund: b, 'null': c}\n", "instructions"),
        ("instructions: x\nlabels: {bug_report: a, refund: b, 'null': c}\nhint: y\n", "hint"),
    ],
)
def test_a_wrong_prompt_is_one_line_with_its_file_and_key(
    config: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "--prompts", "--out", str(config)]) == 0
    (config.parent / "prompts" / "topic.yaml").write_text(text)
    capsys.readouterr()
    assert main(["check", "--config", str(config)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "topic.yaml" in line
    assert said.strip("'").split("'")[0] in line
