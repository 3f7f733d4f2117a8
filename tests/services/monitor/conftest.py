"""Real monitors, ended with their test."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from streamer.dev.kafka import Kafka
from tests.services.monitor.running import Make, Monitor


@pytest.fixture
def make(kafka: Kafka, tmp_path: Path) -> Iterator[Make]:
    """Makes a monitor with these settings, not yet started."""
    made: list[Monitor] = []

    def monitor(settings: Mapping[str, Any] | None = None, **more: Any) -> Monitor:
        made.append(Monitor(kafka, tmp_path, settings, **more))
        return made[-1]

    yield monitor
    for one in made:
        one.stop()
