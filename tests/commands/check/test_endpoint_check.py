"""`streamer check` of a configuration whose judge is behind an endpoint."""

import json
from pathlib import Path

import pytest

from streamer.cli import main
from streamer.commands.check.endpoint_check import endpoint_report
from streamer.config import load
from tests.judging.endpoint.served import Served

CONFIG = """
kafka: {start: earliest, bootstrap: "one.internal:9092, two.internal:9092"}
triton: {url: "triton.internal:8001"}
judge:
  kind: endpoint
  endpoint: {url: "%s", key: "${JUDGE_KEY}"}
tasks:
  topic: {labels: [account, billing], workers: [topic_a, topic_b]}
  mood: {labels: [good, bad], workers: [mood_a, mood_b]}
"""
PROMPT = "instructions: You sort tickets.\nlabels: {%s}\n"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-0123456789")


def written(folder: Path, url: str) -> Path:
    config = folder / "streamer.yaml"
    config.write_text(CONFIG % url)
    prompts = folder / "prompts"
    prompts.mkdir()
    for task, names in (("topic", "account: a, billing: b"), ("mood", "good: g, bad: b")):
        (prompts / f"{task}.yaml").write_text(PROMPT % names)
    return config


def test_every_host_that_text_goes_to_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = written(tmp_path, "https://{task}.models.example/v1")
    assert main(["check", "--config", str(config)]) == 0
    said = capsys.readouterr()
    hosts = ["one.internal:9092", "two.internal:9092", "triton.internal:8001"]
    hosts += ["topic.models.example", "mood.models.example"]
    assert f"text    of tickets goes to {', '.join(hosts)}" in said.out
    assert said.err == ""
    assert main(["check", "--config", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text_goes_to"] == hosts


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://models.example", True),
        ("http://127.0.0.1:8000", False),
        ("https://a.example", False),
    ],
)
def test_text_that_would_go_unencrypted_is_warned_of(
    url: str, warned: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--config", str(written(tmp_path, url))]) == 0
    assert ("unencrypted" in capsys.readouterr().err) == warned


def test_a_wrong_prompt_is_said_and_a_missing_one_may_be_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = written(tmp_path, "https://a.example")
    (tmp_path / "prompts" / "mood.yaml").unlink()
    assert main(["check", "--config", str(config)]) == 0
    (tmp_path / "prompts" / "topic.yaml").write_text(PROMPT % "account: a, other: b")
    assert main(["check", "--config", str(config)]) == 2
    assert "billing of task topic is not described" in capsys.readouterr().err


async def test_connected_it_says_how_each_task_is_judged(tmp_path: Path) -> None:
    async with Served(key="sk-0123456789").running() as served:
        settings = load(written(tmp_path, served.url))
        report = await endpoint_report(settings, 3.0)
        assert report.problems == ()
        (line,) = report.seen
        assert line.startswith("judge   topic, mood: judged at 127.0.0.1:")
        assert "exact probabilities of names" in line
        served.key = "another"
        (problem,) = (await endpoint_report(settings, 3.0)).problems
        assert "judge.endpoint.key" in problem
        assert "sk-" not in problem


async def test_an_endpoint_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    settings = load(written(tmp_path, "http://127.0.0.1:9"))
    (problem,) = (await endpoint_report(settings, 0.1)).problems
    assert "127.0.0.1:9 gives no answer" in problem


async def test_another_kind_of_judge_is_asked_nothing(tmp_path: Path) -> None:
    settings = load(written(tmp_path, "http://127.0.0.1:9"), {"judge.kind": "llm"})
    report = await endpoint_report(settings, 0.1)
    assert (report.problems, report.seen) == ((), ())
