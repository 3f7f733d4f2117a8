"""streamer topics, on a real Kafka."""

import shlex
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
import yaml

from streamer.cli import main
from streamer.config import Settings, load
from streamer.config.kafka import Topics
from streamer.dev.kafka import Kafka
from streamer.services.topic_recipe import by_hand, recipes
from tests.conftest import unique_topic


@pytest.fixture
def config(tmp_path: Path, kafka: Kafka) -> Path:
    stem = unique_topic("topics")
    raw = {
        "kafka": {"bootstrap": kafka.bootstrap, "start": "earliest"},
        "topics": {name: f"{stem}.{name}" for name in Topics.model_fields},
        "tasks": {"t": {"labels": ["a", "b"], "workers": ["one", "two"]}},
    }
    path = tmp_path / "streamer.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


def states(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    lines = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {line["topic"]: line["state"] for line in lines}


def test_makes_what_is_missing_and_check_is_content_with_it(config: Path, capsys) -> None:
    where = ["--config", str(config)]
    settings = load(config)
    names = settings.topics.model_dump().values()
    assert main(["topics", "--json", *where]) == 1
    assert states(capsys) == dict.fromkeys(names, "missing")
    assert main(["topics", "--create", "--partitions", "2", "--json", *where]) == 0
    assert states(capsys) == dict.fromkeys(names, "created")
    assert main(["topics", "--create", "--json", *where]) == 0
    assert states(capsys) == dict.fromkeys(names, "there")
    assert main(["check", "--connect", *where, "--set", "triton.url=127.0.0.1:1"]) == 2
    assert "topic " not in capsys.readouterr().err.replace("head for the labels", "")


def test_what_is_missing_comes_with_the_command_that_makes_it(config: Path, capsys) -> None:
    assert main(["topics", "--config", str(config)]) == 1
    answer = capsys.readouterr()
    assert len(answer.out.splitlines()) == len(Topics.model_fields)
    for name in load(config).topics.model_dump().values():
        assert by_hand(load(config), name) in answer.err


def test_the_command_by_hand_says_all_that_the_recipe_does(config: Path) -> None:
    settings: Settings = load(config)
    for recipe in recipes(settings):
        words = shlex.split(by_hand(settings, recipe.name))
        pairs = list(pairwise(words))
        assert ("--topic", recipe.name) in pairs
        assert ("--partitions", str(recipe.partitions)) in pairs
        given = dict(word.split("=") for option, word in pairs if option == "--config")
        assert given == dict(recipe.config)
    compacted = [one.name for one in recipes(settings) if "compact" in one.config["cleanup.policy"]]
    assert compacted == [settings.topics.labels]


def test_more_copies_than_brokers_is_one_line(config: Path, capsys) -> None:
    assert main(["topics", "--create", "--replication", "3", "--config", str(config)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "can't create topic" in line
