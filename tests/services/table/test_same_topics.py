"""What becomes of the table's topics while it runs."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from streamer.errors import ConfigError
from streamer.services.table import same_topics
from streamer.services.table.same_topics import SameTopics

LABELS, CURRENT = "labels", "current"


class Admin:
    """Says of each topic what it is set to; None where Kafka is away."""

    def __init__(self) -> None:
        self.told: dict[str, tuple[int, bytes, int] | None] = dict.fromkeys(
            (LABELS, CURRENT), (0, b"o" * 16, 2)
        )

    async def _send_request(self, request: Any) -> Any:
        told = self.told[request._topic]
        if told is None:
            raise KafkaConnectionError
        error, topic_id, partitions = told
        topic = (error, request._topic, topic_id, False, [()] * partitions, 0, {})
        return SimpleNamespace(topics=[topic])


@pytest.mark.parametrize("topic", [LABELS, CURRENT])
@pytest.mark.parametrize(
    ("told", "said"),
    [((0, b"o" * 16, 3), "has 3 partitions and had 2"), ((0, b"n" * 16, 2), "was made again")],
)
async def test_more_partitions_and_a_topic_made_again_end_the_table(
    topic: str, told: tuple[int, bytes, int], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(same_topics, "EVERY_S", 0.01)
    admin = Admin()
    watch = SameTopics(admin, [LABELS, CURRENT])
    await watch.look()
    admin.told[topic] = told
    with pytest.raises(ConfigError, match=f"^{topic} {said}.*--rebuild"):
        await asyncio.wait_for(watch.run(), 10)


@pytest.mark.parametrize("told", [None, (3, b"", 0), (0, b"o" * 16, 1)])
async def test_a_kafka_that_is_away_and_a_topic_not_all_brokers_know_do_not(
    told: tuple[int, bytes, int] | None,
) -> None:
    admin = Admin()
    watch = SameTopics(admin, [LABELS, CURRENT])
    await watch.look()
    before = admin.told[LABELS]
    admin.told[LABELS] = told
    await watch.look()
    admin.told[LABELS] = before
    await watch.look()
