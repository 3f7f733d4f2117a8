"""What can be wrong with a monitor's configuration is one line, and exit 2."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from streamer.config import load
from streamer.dev.kafka import Kafka
from streamer.errors import ConfigError
from streamer.services.monitor.exposure import refuse_open_door
from streamer.stream.topics import TopicSpec, create_topics
from tests.conftest import unique_topic

TASKS = {"mood": {"labels": ["bad", "good"], "workers": ["one", "two"]}}
TOKEN = "a-token-of-some-length"


def config(folder: Path, bootstrap: str, group: str, **monitor: object) -> Path:
    topics = {name: f"{group}.{name}" for name in ("stats", "alerts", "labels", "judge")}
    given = {
        "kafka": {"bootstrap": bootstrap, "group": group, "start": "earliest"},
        "topics": topics,
        "tasks": TASKS,
        "monitor": {"listen": {"port": 0}, **monitor},
    }
    path = folder / "streamer.yaml"
    path.write_text(yaml.safe_dump(given))
    return path


def complaint(path: Path) -> str:
    command = [sys.executable, "-m", "streamer.cli", "monitor", "--config", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_a_missing_topic_is_named(kafka: Kafka, tmp_path: Path) -> None:
    group = unique_topic("monitor")
    said = complaint(config(tmp_path, kafka.bootstrap, group))
    assert f"has no topic {group}.alerts, {group}.judge, {group}.labels, {group}.stats" in said


def test_summaries_in_two_partitions_are_refused(kafka: Kafka, tmp_path: Path) -> None:
    group = unique_topic("monitor")
    specs = [TopicSpec(f"{group}.{name}") for name in ("alerts", "labels", "judge")]
    asyncio.run(create_topics(kafka.bootstrap, [TopicSpec(f"{group}.stats", 2), *specs]))
    assert "has 2 partitions" in complaint(config(tmp_path, kafka.bootstrap, group))


def test_without_kafka_it_says_where_it_looked(tmp_path: Path) -> None:
    said = complaint(config(tmp_path, "127.0.0.1:1", "nobody"))
    assert "no Kafka answers at 127.0.0.1:1" in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "monitor.example", ""])
def test_beyond_loopback_a_token_is_needed(tmp_path: Path, host: str) -> None:
    open_door = load(config(tmp_path, "127.0.0.1:1", "g", listen={"host": host, "port": 0}))
    with pytest.raises(ConfigError, match=r"monitor\.token is needed"):
        refuse_open_door(open_door)
    locked = config(tmp_path, "127.0.0.1:1", "g", listen={"host": host, "port": 0}, token=TOKEN)
    refuse_open_door(load(locked))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_loopback_no_token_is_needed(tmp_path: Path, host: str) -> None:
    refuse_open_door(load(config(tmp_path, "127.0.0.1:1", "g", listen={"host": host, "port": 0})))
