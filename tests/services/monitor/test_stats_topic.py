from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from streamer.errors import BrokerError
from streamer.services.monitor.stats_topic import EVERY_S, StatsTopic


class Admin:
    """Says of the topic what it is set to; None where Kafka is away."""

    def __init__(self) -> None:
        self.told: tuple[bytes, int] | None = (b"o" * 16, 1)
        self.gone = False
        self.asked = 0

    async def _send_request(self, request: Any) -> Any:
        self.asked += 1
        if self.told is None:
            raise KafkaConnectionError
        topic_id, partitions = self.told
        topic = (3 if self.gone else 0, "stats", topic_id, False, [()] * partitions, 0, {})
        return SimpleNamespace(topics=[topic])


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += EVERY_S
        return self.now


@pytest.mark.parametrize("told", [(b"n" * 16, 1), (b"o" * 16, 2)])
async def test_a_topic_that_is_not_the_one_of_the_start_ends_the_monitor(
    told: tuple[bytes, int],
) -> None:
    admin = Admin()
    topic = StatsTopic(admin, "stats", Clock())
    for _ in range(3):
        await topic.check()
    admin.told = told
    with pytest.raises(BrokerError, match="start the monitor again"):
        await topic.check()


async def test_a_kafka_that_is_away_and_a_topic_that_is_gone_for_now_do_not() -> None:
    admin = Admin()
    topic = StatsTopic(admin, "stats", Clock())
    await topic.check()
    admin.told = None
    await topic.check()
    admin.told, admin.gone = (b"", 0), True
    await topic.check()
    admin.told, admin.gone = (b"o" * 16, 1), False
    await topic.check()
    assert admin.asked == 4


async def test_it_is_not_asked_about_at_every_look() -> None:
    admin = Admin()
    topic = StatsTopic(admin, "stats", lambda: 1.0)
    for _ in range(10):
        await topic.check()
    assert admin.asked == 1
