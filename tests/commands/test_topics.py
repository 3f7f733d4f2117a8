"""streamer topics, on a real Kafka."""

import asyncio
import re
import shlex
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
import yaml

from streamer.cli import main
from streamer.commands.check.topic_check import topic_report
from streamer.commands.init import peek
from streamer.commands.topic_recipe import by_hand, recipes
from streamer.config import Settings, load
from streamer.config.kafka import Topics
from streamer.dev.kafka import Kafka
from streamer.stream.topics import TopicSpec, create_topics
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
    names = settings.topics.names
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
    for name in load(config).topics.names:
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
    assert compacted == [settings.topics.labels, settings.topics.current]


def test_it_shows_what_is_there_and_says_which_difference_matters(config: Path, capsys) -> None:
    settings, where = load(config), ["--config", str(config)]
    tickets, labels = settings.topics.tickets, settings.topics.labels
    alone = [TopicSpec(tickets, 1), TopicSpec(labels, 2, {"max.message.bytes": "9000"})]
    asyncio.run(create_topics(settings.kafka.bootstrap, alone))
    assert main(["topics", "--create", "--partitions", "6", "--json", *where]) == 1
    answer = capsys.readouterr()
    found = {line["topic"]: line for line in map(orjson.loads, answer.out.splitlines())}
    assert (found[tickets]["state"], found[tickets]["partitions"]) == ("there", 1)
    assert (found[labels]["partitions"], found[labels]["cleanup_policy"]) == (2, "delete")
    assert found[settings.topics.judge]["partitions"] == 6
    assert found[settings.topics.stats]["partitions"] == 1
    (line,) = [line for line in answer.err.splitlines() if "asks for 6" in line]
    assert f"{tickets} has 1 partition" in line
    assert f"--alter --topic {tickets} --partitions 6" in line
    assert main(["topics", "--create", "--partitions", "1", *where]) == 1
    answer = capsys.readouterr()
    assert "asks for" not in answer.err
    assert f"{labels}: max.message.bytes" in answer.err
    assert re.search(rf"there +{tickets} +delete +1 partition$", answer.out, re.MULTILINE)


def test_a_compacted_topic_is_an_error(config: Path, capsys) -> None:
    settings, where = load(config), ["--config", str(config)]
    compacted = [TopicSpec(settings.topics.judge, 2, {"cleanup.policy": "compact"})]
    asyncio.run(create_topics(settings.kafka.bootstrap, compacted))
    assert main(["topics", "--create", *where]) == 1
    assert f"{settings.topics.judge}: cleanup.policy is 'compact'" in capsys.readouterr().err


def listed(bootstrap: str) -> set[str]:
    return set(peek.topics(bootstrap))


def test_a_tickets_topic_that_is_spelt_nearly_alike_is_made_only_when_asked_for(
    config: Path, capsys
) -> None:
    settings = load(config)
    real, bootstrap = settings.topics.tickets, settings.kafka.bootstrap
    asyncio.run(create_topics(bootstrap, [TopicSpec(real, 1)]))
    before, wrong = listed(bootstrap), real.replace("tickets", "tikets")
    given = ["topics", "--create", "--config", str(config), "--set", f"topics.tickets={wrong}"]
    assert main(given) == 2
    assert f"no topic '{wrong}'; did you mean {real}?" in capsys.readouterr().err
    assert listed(bootstrap) == before
    assert main([*given, "--tickets"]) == 0
    assert wrong in listed(bootstrap)
    assert f"{wrong} is new" in capsys.readouterr().err


def test_a_misspelt_tickets_topic_is_corrected_and_the_others_are_made(
    config: Path, capsys
) -> None:
    settings = load(config)
    real, bootstrap = settings.topics.tickets, settings.kafka.bootstrap
    asyncio.run(create_topics(bootstrap, [TopicSpec(real, 1)]))
    wrong = real.replace("tickets", "tikets")
    given = ["--config", str(config), "--set", f"topics.tickets={wrong}"]
    given += ["--set", f"topics.labels={real}.labels"]
    assert main(["check", "--connect", *given, "--set", "triton.url=127.0.0.1:1"]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "no topic" in line]
    assert len(lines) == len(Topics.model_fields)
    (line,) = [line for line in lines if "did you mean" in line]
    assert line.endswith(f"no topic '{wrong}'; did you mean {real}? Correct topics.tickets")
    assert main(["topics", *given]) == 1
    said = capsys.readouterr().err
    assert f"there is no topic '{wrong}'; did you mean {real}? Correct topics.tickets\n" in said
    assert f"--topic {wrong} " not in said
    assert f"--topic {real}.labels " in said


def test_up_makes_no_tickets_topic_on_a_kafka_of_the_users(config: Path, capsys) -> None:
    settings = load(config)
    real, bootstrap = settings.topics.tickets, settings.kafka.bootstrap
    asyncio.run(create_topics(bootstrap, [TopicSpec(real, 1)]))
    before, wrong = listed(bootstrap), real.replace("tickets", "tikets")
    given = ["--config", str(config), "--kafka", bootstrap, "--triton", "127.0.0.1:1"]
    assert main(["up", *given, "--set", f"topics.tickets={wrong}"]) == 2
    said = capsys.readouterr().err
    assert f"no topic {wrong}; did you mean {real}?" in said
    assert listed(bootstrap) == before


def test_more_copies_than_brokers_is_one_line(config: Path, capsys) -> None:
    assert main(["topics", "--create", "--replication", "3", "--config", str(config)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "can't create topic" in line


def test_the_state_topic_is_as_wide_as_the_labels_or_check_says_so(config: Path, capsys) -> None:
    settings, where = load(config), ["--config", str(config)]
    labels, current = settings.topics.labels, settings.topics.current
    assert current is not None
    kept = {"cleanup.policy": "compact", "max.message.bytes": str(2**24)}
    asyncio.run(create_topics(settings.kafka.bootstrap, [TopicSpec(labels, 3, kept)]))
    assert main(["topics", "--create", "--json", *where]) == 0
    found = {
        line["topic"]: line for line in map(orjson.loads, capsys.readouterr().out.splitlines())
    }
    assert found[current]["partitions"] == 3
    report = asyncio.run(topic_report(settings))
    assert not [line for line in report.problems if current in line]
    assert any("min.compaction.lag.ms" in line for line in report.warnings)


def test_a_state_topic_that_is_wider_or_forgets_is_an_error(config: Path) -> None:
    settings = load(config)
    labels, current = settings.topics.labels, settings.topics.current
    assert current is not None
    made = [TopicSpec(labels, 3), TopicSpec(current, 2, {"cleanup.policy": "delete"})]
    asyncio.run(create_topics(settings.kafka.bootstrap, made))
    told = [line for line in asyncio.run(topic_report(settings)).problems if current in line]
    assert any("has 2 partitions" in line for line in told)
    assert any("set it to 'compact'" in line for line in told)
