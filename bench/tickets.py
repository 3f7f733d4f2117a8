"""Tickets to feed: a backlog as fast as possible, or a steady rate whatever comes back."""

import argparse
import asyncio
import time

import orjson
import uvloop
from aiokafka import AIOKafkaProducer

from streamer.stream.partitioner import partitions

BYTES = 200
_WORDS = "my card was charged twice and nobody answers please help me to get the money back soon "
_STEP = 500


def ticket(number: int) -> tuple[bytes, bytes]:
    """Key and value of a ticket, the value of exactly 200 bytes; every text is another one."""
    name = f"t{number:07d}"
    value = {"id": name, "text": f"{number:07d} "}
    room = BYTES - len(orjson.dumps(value))
    value["text"] += (_WORDS * 3)[:room]
    return name.encode(), orjson.dumps(value)


async def backlog(bootstrap: str, topic: str, count: int) -> None:
    """Put tickets 0 .. count - 1 on the topic, in the partitions of their keys."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=2**20)
    await producer.start()
    try:
        places = len(await producer.partitions_for(topic))
        for first in range(0, count, 20_000):
            await _send(producer, topic, places, range(first, min(first + 20_000, count)))
        await producer.flush()
    finally:
        await producer.stop()


async def _send(producer: AIOKafkaProducer, topic: str, places: int, numbers: range) -> None:
    made = [ticket(number) for number in numbers]
    where = partitions([key for key, _ in made], places).tolist()
    for place in range(places):
        mine = [item for item, at in zip(made, where, strict=True) if at == place]
        for first in range(0, len(mine), _STEP):
            batch = producer.create_batch()
            for key, value in mine[first : first + _STEP]:
                batch.append(key=key, value=value, timestamp=int(time.time() * 1000))
            await producer.send_batch(batch, topic, partition=place)


async def open_loop(bootstrap: str, topic: str, count: int, rate: float, first: int = 0) -> None:
    """Send `count` tickets from number `first` on at `rate` per second, late ones at once."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=0)
    await producer.start()
    made = [ticket(first + number) for number in range(count)]
    began, sent = time.perf_counter(), 0
    try:
        while sent < count:
            due = min(count, int((time.perf_counter() - began) * rate) + 1)
            for key, value in made[sent:due]:
                await producer.send(topic, value, key=key, timestamp_ms=int(time.time() * 1000))
            sent = due
            await asyncio.sleep(0.001)
        await producer.flush()
    finally:
        await producer.stop()


def main() -> None:
    """Feed from a process of its own, so that nothing else that runs here delays it."""
    parser = argparse.ArgumentParser(description="Send tickets at a steady rate.")
    parser.add_argument("bootstrap")
    parser.add_argument("topic")
    parser.add_argument("count", type=int)
    parser.add_argument("rate", type=float)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    uvloop.run(open_loop(given.bootstrap, given.topic, given.count, given.rate, given.first))


if __name__ == "__main__":
    main()
