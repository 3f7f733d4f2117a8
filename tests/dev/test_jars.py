from pathlib import Path

import pytest

from streamer.dev.jars import java, kafka_jars
from streamer.dev.kafka import Kafka
from streamer.errors import ConfigError


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def empty_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return tmp_path / "bin"


def test_without_java_one_line_says_what_to_do(empty_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Kafka(tmp_path / "state").start()
    line = str(caught.value)
    assert "\n" not in line
    assert "Java isn't installed" in line
    assert "--kafka host:port" in line


@pytest.mark.parametrize(("version", "named"), [("11.0.2", "11"), ("1.8.0_392", "8")])
def test_an_old_java_is_named(empty_path: Path, version: str, named: str) -> None:
    program(empty_path, "java", f"""echo 'openjdk version "{version}" 2020-01-01' >&2""")
    with pytest.raises(ConfigError, match=rf"version {named}, .*needs 17 or newer"):
        java()


def test_without_maven_one_line_says_what_to_do(empty_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        kafka_jars(tmp_path / "cache")
    line = str(caught.value)
    assert "\n" not in line
    assert "Maven isn't installed" in line
    assert "--kafka host:port" in line


def test_a_failed_download_leaves_nothing_behind(empty_path: Path, tmp_path: Path) -> None:
    program(empty_path, "mvn", "echo no network; exit 1")
    with pytest.raises(ConfigError, match="no network"):
        kafka_jars(tmp_path / "cache")
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_jars_are_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = kafka_jars(tmp_path)
    assert (fetched / "kafka_2.13-4.2.0.jar").is_file()
    monkeypatch.setenv("PATH", "")
    assert kafka_jars(tmp_path) == fetched
