"""`streamer worker`: versions of a language model behind an endpoint, and what is none."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from streamer.backends.remote import ASKS
from streamer.cli import main
from streamer.commands import worker
from streamer.commands.check.text_hosts import text_hosts
from streamer.config import load
from streamer.learn.artifacts.repository import write_model
from tests.backends.remote import configured, made
from tests.judging.endpoint.conftest import LABELS
from tests.judging.endpoint.served import Served, Way
from tests.judging.endpoint.threaded import threaded


@pytest.fixture
def served() -> Iterator[Served]:
    with threaded(Served()) as running:
        yield running


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configured(tmp_path, LABELS.labels)


def command(config: Path, url: str, *more: str) -> list[str]:
    named = ["worker", "topic_llm", "--task", "topic", "--url", url, "--codes", "letters"]
    return [*named, "--config", str(config), *more]


def loaded(folder: Path) -> str:
    return (folder / "config.pbtxt").read_text().splitlines()[-1]


def test_the_same_is_the_same_version_and_another_prompt_another(
    served: Served, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = made(config, served.url)
    before = first.stat().st_ino
    assert made(config, served.url) == first
    assert first.stat().st_ino == before
    prompt = config.with_name("prompts") / "topic.yaml"
    prompt.write_text(prompt.read_text().replace("about account", "about an account"))
    capsys.readouterr()
    assert main(command(config, served.url, "--json")) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["version"] != first.name
    assert said["identity"].startswith(f"{served.url.removeprefix('http://')} {served.model}@")
    assert loaded(first.parent) == (
        f"version_policy {{ specific {{ versions: [ {said['version']} ] }} }}"
    )


def test_versions_that_the_configuration_names_stay_loaded(served: Served, config: Path) -> None:
    first = made(config, served.url)
    shadow = "shadow: {version: '7', share: 0.1}"
    pinned = f"{{model: topic_llm, version: '{first.name}', {shadow}}}"
    configured(config.parent, LABELS.labels, pinned)
    served.build = "vllm-0.33.0-ffffffff"
    second = made(config, served.url)
    both = ", ".join(sorted([first.name, second.name], key=int))
    assert loaded(first.parent) == f"version_policy {{ specific {{ versions: [ {both} ] }} }}"


def test_a_version_holds_all_that_it_needs_but_the_key(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORKER_KEY", "sk-0123456789")
    with threaded(Served(key="sk-0123456789")) as served:
        version = made(config, served.url, key_from="WORKER_KEY")
    assert sorted(path.name for path in version.iterdir()) == [ASKS, "topic.yaml"]
    assert json.loads((version / ASKS).read_text())["key_from"] == "WORKER_KEY"
    assert "sk-0123456789" not in "".join(path.read_text() for path in version.iterdir())
    assert "Triton needs the variable WORKER_KEY too" in capsys.readouterr().out


def test_a_classifier_needs_no_prompt(config: Path) -> None:
    (config.with_name("prompts") / "topic.yaml").unlink()
    with threaded(Served(["classes"], classes=LABELS.labels)) as served:
        assert made(config, served.url).is_dir()


@pytest.mark.parametrize(
    ("offers", "more", "told"),
    [
        (["said"], (), "names a label and nothing more, and a worker's vote needs probabilities"),
        ([], (), "can't be asked for labels in any way"),
        (["exact"], ("--codes", "names"), "judge.min_coverage is 0.5"),
        (["exact"], ("--served", "other"), "--served: 127.0.0.1:.* serves toy; name one"),
        (["exact"], ("--key-from", "NOT_SET"), "--key-from: set NOT_SET"),
        (
            ["exact"],
            ("--ca-file", "none.pem"),
            "none.pem: No such file or directory; correct the path",
        ),
        (["exact"], ("--prompts", "nowhere"), "there is no nowhere/topic.yaml: run"),
        (["exact"], ("--url", "http://key@host"), "--url: 'http://key@host' is no http"),
        (["exact"], ("--task", "mood"), "no task 'mood'"),
    ],
)
def test_what_can_be_no_worker_is_refused_and_leaves_nothing(
    offers: Sequence[Way],
    more: Sequence[str],
    told: str,
    config: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with threaded(Served(offers)) as served:
        assert main(command(config, served.url, *more)) == 2
    said = capsys.readouterr().err
    assert re.search(told, said), said
    assert not (config.with_name("models") / "topic_llm").exists()


def test_an_endpoint_that_is_not_there_is_told(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "PATIENCE_S", 0.1)
    assert main(command(config, "http://127.0.0.1:1")) == 2
    assert "start it, or correct --url" in capsys.readouterr().err


def test_a_key_that_is_refused_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with threaded(Served(key="sk-0123456789")) as served:
        assert main(command(config, served.url)) == 2
    assert "--key-from: " in capsys.readouterr().err


def test_another_model_is_never_written_over(
    served: Served, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(config.with_name("models"), "topic_llm", "echo", LABELS.labels)
    assert main(command(config, served.url)) == 2
    assert "a model of another kind: name another model" in capsys.readouterr().err
    configured(config.parent, LABELS.labels, "{model: topic_llm, kind: word_ngrams}")
    assert main(command(config, served.url)) == 2


def test_a_worker_that_is_trained_is_none(
    served: Served, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(config.parent, LABELS.labels, "{model: topic_llm, kind: word_ngrams}")
    assert main(command(config, served.url)) == 2
    assert "take its kind out" in capsys.readouterr().err


def test_who_is_not_asked_to_vote_is_told_how(
    served: Served, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(config.parent, LABELS.labels, "topic_word")
    assert main(command(config, served.url)) == 0
    assert "add {model: topic_llm} to tasks.topic.workers" in capsys.readouterr().out


def test_check_names_the_host_and_warns_of_what_goes_there_unencrypted(
    served: Served, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = made(config, served.url)
    host = served.url.removeprefix("http://")
    assert text_hosts(load(config))[-1] == host
    capsys.readouterr()
    assert main(["check", "--config", str(config)]) == 0
    said = capsys.readouterr()
    assert host in said.out
    assert said.err == ""
    asks = version / ASKS
    asks.write_text(asks.read_text().replace(served.url, "http://models.example"))
    assert main(["check", "--config", str(config)]) == 0
    said = capsys.readouterr()
    assert "models.example" in said.out
    assert "workers: tickets, and the key, go to models.example unencrypted" in said.err
