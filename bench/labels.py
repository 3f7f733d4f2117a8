"""Reads the labels that a run has written: how many, when, and after how long."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from aiokafka import AIOKafkaConsumer, TopicPartition

Moments = npt.NDArray[np.int64]

_LOOK_S = 0.1


async def wait_for(bootstrap: str, topic: str, count: int, within_s: float) -> int:
    """How many records the topic holds, once there are `count`; raises `TimeoutError`."""
    until = time.monotonic() + within_s
    async with _reading(bootstrap, topic) as consumer:
        while (there := await _end(consumer)) < count:
            if time.monotonic() > until:
                raise TimeoutError(f"{topic} holds {there} of {count} records after {within_s} s")
            await asyncio.sleep(_LOOK_S)
        return there


async def everything(bootstrap: str, topic: str) -> AsyncIterator[Any]:
    """Every record that is on the topic now."""
    async with _reading(bootstrap, topic) as consumer:
        left = await _end(consumer)
        while left > 0:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                left -= len(records)
                for record in records:
                    yield record


async def written(bootstrap: str, topic: str) -> Moments:
    """When each record was written, in milliseconds since the epoch, in order of time."""
    found = [record.timestamp async for record in everything(bootstrap, topic)]
    return np.sort(np.array(found, np.int64))


def steady_rate(moments: Moments) -> float:
    """Records per second without the first and the last tenth, where runs begin and end."""
    first, last = len(moments) // 10, len(moments) * 9 // 10
    return (last - first) / (int(moments[last] - moments[first]) / 1000)


@asynccontextmanager
async def _reading(bootstrap: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        await consumer._client.set_topics([topic])
        places = consumer.partitions_for_topic(topic) or set()
        consumer.assign([TopicPartition(topic, place) for place in places])
        yield consumer
    finally:
        await consumer.stop()


async def _end(consumer: AIOKafkaConsumer) -> int:
    return sum((await consumer.end_offsets(consumer.assignment())).values())
