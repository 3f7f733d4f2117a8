"""Real servers for the tests, started once per run and only when a test asks for them."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from streamer.dev.triton import Triton
from streamer.learn.artifacts.repository import write_model

# A slow machine is no fault of what is tested.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

ECHO_MODELS = ("echo_a", "echo_b", "echo_c")
ECHO_LABELS = ("account", "billing", "shipping", "technical")

_numbers = count(1)


def unique_topic(stem: str = "topic") -> str:
    """A topic name that no other test of this run uses."""
    return f"{stem}-{next(_numbers)}"


def own_triton(state: Path, models_repo: Path) -> Triton:
    """A Triton on ports that no other run wants, with `load` and `unload`; not started."""
    ports = [free_port() for _ in range(3)]
    return Triton(
        state,
        models_repo,
        grpc_port=ports[0],
        http_port=ports[1],
        metrics_port=ports[2],
        explicit_control=True,
    )


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One broker for the whole run: make topics of your own, by `unique_topic`."""
    with Kafka(tmp_path_factory.mktemp("kafka"), port=free_port()) as broker:
        yield broker


@pytest.fixture(scope="session")
def triton_echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    """One Triton for the whole run with the models ECHO_MODELS: leave it as you found it."""
    folder = tmp_path_factory.mktemp("triton")
    for name in ECHO_MODELS:
        write_model(folder / "models", name, "echo", ECHO_LABELS)
    with own_triton(folder / "state", folder / "models") as server:
        yield server
