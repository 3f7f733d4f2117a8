import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import psutil
import pytest

from streamer.cli import main
from streamer.config import load
from streamer.dev.ports import free_port
from streamer.dev.stack import Stack
from streamer.dev.triton import Triton
from streamer.dev.up import whereabouts
from streamer.errors import ConfigError
from streamer.learn.artifacts.repository import write_model
from tests.conftest import ECHO_LABELS, unique_topic
from tests.dev.sockets import listeners
from tests.dev.test_child import gone
from tests.waiting import eventually

CONFIG = """
kafka: {bootstrap: "localhost:KAFKA", start: earliest, group: GROUP}
triton: {url: "127.0.0.1:TRITON"}
classify: {listen: {port: CLASSIFY}}
monitor: {listen: {port: 0}}
topics: {tickets: GROUP, labels: GROUP.labels, judge: GROUP.judge, dead: GROUP.dead}
tasks:
  topic: {labels: [account, billing, shipping, technical], workers: [echo_a, echo_b]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("echo_a", "echo_b"):
        write_model(tmp_path / "models_repo", name, "echo", ECHO_LABELS)
    path = tmp_path / "streamer.yaml"
    text = CONFIG.replace("GROUP", unique_topic("stack"))
    for name in ("KAFKA", "TRITON", "CLASSIFY"):
        text = text.replace(name, str(free_port()))
    path.write_text(text)
    return path


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def others() -> set[int]:
    """Processes that this run has started before: servers that all tests share."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.fixture
def stack(others: set[int], config: Path, said: list[str]) -> Iterator[Stack]:
    with Stack(config, {}, said.append) as up:
        up.start("kafka", "triton")
        up.make_topics()
        up.start("classify")
        yield up


def labels(
    stack: Stack, config: Path, capsys: pytest.CaptureFixture[str], text: str, count: int
) -> set[tuple[str, str]]:
    """Send one ticket and read the topic's `count` labels, and repeats that a crash has made."""
    where = ["--config", str(config), "--kafka", stack.settings.kafka.bootstrap]
    file = config.parent / "tickets.jsonl"
    file.write_bytes(orjson.dumps({"id": text, "text": text}))
    assert main(["send", str(file), *where]) == 0
    capsys.readouterr()
    while True:
        assert main(["tail", *where, "--json", "--beginning", "--count", str(count)]) == 0
        read = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
        found = {(label["ticket_id"], label["label"]) for label in read}
        if text in dict(found):
            return found
        count += 1


def test_labels_tickets_survives_a_crash_and_leaves_nothing_behind(
    others: set[int],
    stack: Stack,
    config: Path,
    said: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert labels(stack, config, capsys, "1 #label=1", 1) == {("1 #label=1", "billing")}
    assert {ip for ip, _ in listeners(os.getpid())} == {"127.0.0.1"}
    configured = load(config)
    assert stack.settings.kafka.bootstrap == configured.kafka.bootstrap.replace(
        "localhost", "127.0.0.1"
    )
    assert stack.settings.triton.url == configured.triton.url
    assert stack.services["classify"].port == configured.classify.listen.port
    assert said == []
    pid = stack.services["classify"].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: stack.restarts() == 1)
    assert said[0].startswith("classify ended unexpectedly")
    assert said[-1] == "classify is up again"
    assert labels(stack, config, capsys, "2 #label=2", 2) == {
        ("1 #label=1", "billing"),
        ("2 #label=2", "shipping"),
    }
    ours = {child.pid for child in psutil.Process().children(recursive=True)} - others
    assert len(ours) >= 4
    stack.stop()
    assert eventually(lambda: all(gone(pid) for pid in ours))


def test_the_monitor_is_a_part_of_it(stack: Stack, config: Path, capsys) -> None:
    stack.start("monitor")
    assert labels(stack, config, capsys, "1 #label=1", 1) == {("1 #label=1", "billing")}
    url = stack.services["monitor"].url

    def heard() -> bool:
        with urllib.request.urlopen(f"{url}/api/state", timeout=5) as answer:
            return bool(orjson.loads(answer.read())["tasks"]["topic"]["tickets"] == 1)

    assert eventually(heard)
    assert f"monitor   {url}" in [*whereabouts(stack, config)]
    assert {ip for ip, _ in listeners(os.getpid())} == {"127.0.0.1"}


def test_a_port_that_is_taken_is_said_with_the_one_that_was_taken_instead(
    config: Path, said: list[str]
) -> None:
    configured = load(config)
    wanted = [
        int(configured.kafka.bootstrap.rpartition(":")[2]),
        int(configured.triton.url.rpartition(":")[2]),
        configured.classify.listen.port,
    ]
    with ExitStack() as held:
        for port in wanted:
            held.enter_context(socket.create_server(("127.0.0.1", port)))
        stack = Stack(config, {}, said.append)
        for part in ("kafka", "triton", "classify"):
            stack._make(part)
    taken = [re.match(r"127\.0\.0\.1:(\d+) is taken: \w+ is at (\S+) instead$", s) for s in said]
    assert [int(one[1]) for one in taken if one] == wanted
    settings = stack.settings
    places = (settings.kafka.bootstrap, settings.triton.url, stack.services["classify"].url[7:])
    assert tuple(one[2] for one in taken if one) == places


def test_a_server_elsewhere_is_said_not_to_be_used(config: Path, said: list[str]) -> None:
    config.write_text(config.read_text().replace("localhost", "kafka.internal"))
    Stack(config, {}, said.append)._make("kafka")
    assert re.search(r"Kafka is at 127\.0\.0\.1:\d+, on this machine, and not at kafka", said[0])


def test_it_offers_to_send_only_what_its_own_topic_takes(config: Path, tmp_path: Path) -> None:
    data = "[echo_a, echo_b], data: {train: examples.csv, label: topic}"
    config.write_text(config.read_text().replace("[echo_a, echo_b]", data))
    (tmp_path / "examples.csv").write_text("text,topic\nhello,billing\n")

    def offered(given: dict[str, str]) -> str:
        lines = whereabouts(Stack(config, given, print), config)
        return "".join(line for line in lines if "streamer send" in line)

    assert offered({}).endswith(str(tmp_path / "examples.csv"))
    assert offered({"kafka.bootstrap": "127.0.0.1:1"}) == ""
    assert offered({"input.decoder": "tests.commands.test_file_tickets.reads_xml"}) == ""
    config.write_text(config.read_text() + "input: {text: [/body]}\n")
    assert offered({}).endswith("FILE")


def test_uses_the_servers_that_are_there(
    config: Path, kafka, triton_echo: Triton, said: list[str], capsys
) -> None:
    there = {"kafka.bootstrap": kafka.bootstrap, "triton.url": triton_echo.url}
    with Stack(config, there, said.append) as stack:
        stack.start("kafka", "triton")
        stack.make_topics()
        stack.start("classify")
        assert labels(stack, config, capsys, "1 #label=1", 1) == {("1 #label=1", "billing")}
        state = load(config).path(Path(".streamer"))
        assert [path.name for path in state.iterdir()] == ["logs"]
    assert said == []


def test_a_model_with_other_labels_is_one_line(
    config: Path, kafka, triton_echo: Triton, said: list[str]
) -> None:
    config.write_text(config.read_text().replace("account, billing", "billing, account"))
    there = {"kafka.bootstrap": kafka.bootstrap, "triton.url": triton_echo.url}
    with Stack(config, there, said.append) as stack:
        stack.make_topics()
        with pytest.raises(ConfigError, match=r"^classify: .*its labels differ.*$") as caught:
            stack.start("classify")
    assert "\n" not in str(caught.value)


def test_a_missing_judge_environment_is_one_line(config: Path, said: list[str]) -> None:
    wanted = pytest.raises(ConfigError, match="judge needs it: run `make setup`")
    with Stack(config, {"judge.python": "no/python"}, said.append) as stack, wanted as caught:
        stack.start("judge")
    assert "\n" not in str(caught.value)


def test_up_without_java_is_one_line(config: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(tmp_path), "JAVA_HOME": ""}
    command = [sys.executable, "-m", "streamer.cli", "up", "--config", str(config)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Java isn't installed" in done.stderr
    assert done.stderr.count("\n") == 1
