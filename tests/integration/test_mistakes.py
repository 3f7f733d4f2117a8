"""What a new user gets wrong first: each is one clear line and exit code 2."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from streamer.dev.kafka import Kafka
from streamer.dev.ports import LOOPBACK, free_port
from streamer.dev.triton import Triton
from streamer.judging.classifier.heads import Head
from streamer.learn.artifacts.repository import write_model
from streamer.records.labelset import LabelSet
from tests.conftest import ECHO_LABELS, own_triton
from tests.stage import Stage, streamer

WORKERS = ["good_a", "good_b"]


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    """Two models as configured, and one that has the labels in another order."""
    folder = tmp_path_factory.mktemp("mistakes")
    for name in WORKERS:
        write_model(folder / "models", name, "echo", ECHO_LABELS)
    write_model(folder / "models", "shuffled", "echo", ECHO_LABELS[::-1])
    with own_triton(folder / "state", folder / "models") as server:
        yield server


@pytest.fixture
async def stage(tmp_path: Path, kafka: Kafka, triton: Triton) -> Stage:
    intent = {"labels": list(ECHO_LABELS), "workers": WORKERS}
    made = Stage(tmp_path, kafka, triton.url, {"tasks": {"intent": intent}})
    # What `check` looks at: that there is a head for these labels.
    folder = tmp_path / "models_repo" / "judge" / "intent" / "1"
    folder.mkdir(parents=True)
    size = len(ECHO_LABELS)
    weights, bias = np.zeros((8, size), np.float32), np.zeros(size, np.float32)
    Head(LabelSet(ECHO_LABELS), "no encoder's", weights, bias, 1.0).save(folder)
    await made.make_topics()
    return made


def with_workers(stage: Stage, *workers: str) -> None:
    stage.configuration["tasks"]["intent"]["workers"] = list(workers)
    stage.config.write_text(yaml.safe_dump(stage.configuration))


def complaint(stage: Stage, verb: str, *arguments: str) -> str:
    """What the command says on stderr of its mistake: one line, with exit code 2."""
    connect = ["--connect"] if verb == "check" else ["--listen", f"{LOOPBACK}:0"]
    done = streamer(verb, "--config", str(stage.config), *connect, *arguments)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    # Services log what they do, one line each.
    said = [line for line in done.stderr.splitlines() if " INFO streamer." not in line]
    assert len(said) == 1, done.stderr
    return said[0]


async def test_without_a_mistake_check_is_content(stage: Stage) -> None:
    done = streamer("check", "--config", str(stage.config), "--connect")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("the configuration is good")


@pytest.mark.parametrize("verb", ["classify", "check"])
async def test_wrong_label_order(stage: Stage, verb: str) -> None:
    with_workers(stage, "good_a", "shuffled")
    said = complaint(stage, verb)
    assert "worker shuffled" in said
    assert "at position 0: 'technical' where 'account' is configured" in said


@pytest.mark.parametrize("verb", ["classify", "check"])
async def test_unknown_model(stage: Stage, verb: str) -> None:
    with_workers(stage, "good_a", "nobody")
    assert "nobody" in complaint(stage, verb)


@pytest.mark.parametrize("verb", ["classify", "check"])
async def test_wrong_topic(stage: Stage, verb: str) -> None:
    said = complaint(stage, verb, "--set", "topics.tickets=nowhere")
    assert "nowhere" in said
    assert "create it" in said
    assert "correct" in said


@pytest.mark.parametrize("verb", ["classify", "check"])
async def test_wrong_port_of_kafka(stage: Stage, verb: str) -> None:
    address = f"{LOOPBACK}:{free_port()}"
    said = complaint(stage, verb, "--kafka", address)
    assert f"no Kafka answers at {address}" in said
    assert "kafka.bootstrap" in said


async def test_wrong_port_of_triton(stage: Stage) -> None:
    # The service itself waits for its workers: Triton may come up after it.
    address = f"{LOOPBACK}:{free_port()}"
    said = complaint(stage, "check", "--triton", address)
    assert f"no Triton answers at {address}" in said
    assert "triton.url" in said


@pytest.mark.parametrize("verb", ["classify", "check"])
async def test_unknown_key(stage: Stage, verb: str) -> None:
    said = complaint(stage, verb, "--set", "kafka.bootstraps=somewhere:9092")
    assert "kafka.bootstraps: unknown key; did you mean bootstrap?" in said


async def test_no_configuration(stage: Stage) -> None:
    stage.config.unlink()
    assert "name your configuration with --config" in complaint(stage, "classify")


async def test_a_rule_that_one_worker_can_not_meet(stage: Stage) -> None:
    with_workers(stage, "good_a")
    assert "needs two or three workers, there is one" in complaint(stage, "check")
