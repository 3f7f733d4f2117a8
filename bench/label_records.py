"""Labels to feed to the table, of as many tickets."""

import argparse
import asyncio
import time
from collections.abc import Iterator

import uvloop
from aiokafka import AIOKafkaProducer

from streamer.records.label import Label, Position, Rule, Vote

TASK = "intent"
_WORKERS = ("intent_word", "intent_char", "intent_net")


def labels(first: int, count: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of labels by three workers, as classify writes them; one a ticket."""
    value = _label().to_json()
    for number in range(first, first + count):
        name, offset = b"t%07d" % number, b'"offset":%d' % number
        yield name + b"/intent", value.replace(b"TICKET", name).replace(b'"offset":0', offset)


def _label() -> Label:
    return Label(
        ticket_id="TICKET",
        task=TASK,
        label="billing",
        confidence=0.97,
        source="workers",
        revision=0,
        final=True,
        votes=tuple(Vote(name, "1", "billing", 0.97) for name in _WORKERS),
        rule=Rule("unanimity", 3, 3),
        calibration=None,
        label_set="9f2c51d0a4b7",
        decision_id="5d41402abc4b2a76b9719d911017c592",
        position=Position("tickets", "tickets", 0, 0),
        created_at="2026-01-31T08:00:00.000Z",
        decided_at="2026-01-31T08:00:00.012Z",
    )


async def feed(bootstrap: str, topic: str, count: int, rate: float | None, first: int) -> None:
    """Write labels of tickets `first` and on, `rate` of them per second or as fast as possible."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, linger_ms=0 if rate else 5, max_batch_size=2**20
    )
    async with producer:
        began = time.perf_counter()
        for sent, (key, value) in enumerate(labels(first, count)):
            if rate and sent / rate > time.perf_counter() - began:
                await asyncio.sleep(0.001)
            await producer.send(topic, value, key=key)
        await producer.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Feed labels from a process of its own.")
    parser.add_argument("bootstrap")
    parser.add_argument("topic")
    parser.add_argument("count", type=int)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    uvloop.run(feed(given.bootstrap, given.topic, given.count, given.rate, given.first))
