"""A ticket's records on a real Kafka, for tests of what is told of them."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from streamer.config import Settings, load
from streamer.dev.kafka import Kafka
from streamer.records import Ballot, JudgeRequest, Label, Position, Rule, Ticket, Vote
from streamer.records.identity import TicketIdentity
from streamer.records.labelset import LabelSet
from streamer.records.times import rfc3339
from streamer.services.inspect import Inspection, find
from tests.conftest import ECHO_LABELS
from tests.stage import Stage

DAY = timedelta(days=1)
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode())
VOTES = (
    Vote("echo_a", "1", "billing", 0.9),
    Vote("echo_b", "2", "account", 0.6),
    Vote("echo_c", None, None, None, "breaker_open"),
)


@dataclass
class Log:
    """The topics of one test, and a producer for them."""

    stage: Stage
    settings: Settings
    producer: AIOKafkaProducer
    began: int

    async def put(
        self,
        topic: str,
        value: bytes | None,
        key: bytes,
        after_ms: int = 0,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> TopicPartition:
        made = await self.producer.send_and_wait(
            getattr(self.stage.topics, topic),
            value,
            key=key,
            timestamp_ms=self.began + after_ms,
            headers=list(headers),
        )
        self.last = made.offset
        return TopicPartition(made.topic, made.partition)

    async def ticket(
        self, ticket_id: str, text: str, after_ms: int = 0, **more: object
    ) -> Position:
        value = orjson.dumps({"id": ticket_id, "text": text, **more})
        place = await self.put("tickets", value, ticket_id.encode(), after_ms)
        return Position("tickets", place.topic, place.partition, self.last)

    async def label(self, label: Label, after_ms: int = 20) -> None:
        await self.put("labels", label.to_json(), label.key, after_ms, (TRACEPARENT,))

    async def find(self, ticket_id: str, since: timedelta = DAY, text: bool = True) -> Inspection:
        return await find(self.settings, ticket_id, since, text=text)


@pytest.fixture
async def log(tmp_path: Path, kafka: Kafka) -> AsyncIterator[Log]:
    with Stage(tmp_path, kafka, "127.0.0.1:1") as stage:
        await stage.make_topics(partitions=5)
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            yield Log(stage, load(stage.config), producer, int(time.time() * 1000) - 60_000)


def label(ticket_id: str, position: Position, began: int, **changed: object) -> Label:
    identity = TicketIdentity(position.source, position.topic, position.partition, position.offset)
    given: dict[str, object] = {
        "ticket_id": ticket_id,
        "task": "intent",
        "label": "billing",
        "confidence": 0.93,
        "source": "workers",
        "revision": 0,
        "final": True,
        "votes": VOTES,
        "rule": Rule("majority", 2, 3, "mean", 0.8),
        "calibration": "c1",
        "label_set": LabelSet(ECHO_LABELS).version,
        "decision_id": identity.decision_id("intent"),
        "position": position,
        "created_at": rfc3339(began),
        "decided_at": rfc3339(began + 15),
    }
    return Label(**(given | changed))


def request(ticket_id: str, like: Label, text: str = "") -> JudgeRequest:
    return JudgeRequest(
        ticket=Ticket(ticket_id, text, like.created_at),
        task=like.task,
        label_set=like.label_set,
        ballot=Ballot(VOTES, (None, None, None)),
        rule=like.rule,
        decision_id=like.decision_id,
        revision=0,
        purpose="decide",
        position=like.position,
        created_at=like.created_at,
        traceparent=TRACEPARENT[1].decode(),
    )
