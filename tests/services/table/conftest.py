"""A stage for the table, between topics of its own on the run's Kafka."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from tests.stage import Stage


@pytest.fixture
def stage(kafka: Kafka, tmp_path: Path) -> Iterator[Stage]:
    blocks = {
        "tasks": {"intent": {"labels": ["billing", "bug", "question"], "workers": ["a", "b"]}},
        "table": {"listen": {"port": free_port()}},
    }
    with Stage(tmp_path, kafka, "127.0.0.1:1", blocks) as made:
        yield made
