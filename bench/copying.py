"""The floor of `table`: copies one topic to another, and knows nothing of what it copies."""

import argparse
import asyncio

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

AT_ONCE = 2048


async def copy(bootstrap: str, source: str, target: str) -> None:
    """Until it is stopped; offsets move when Kafka has every copy, as they do in the table."""
    consumer = AIOKafkaConsumer(
        source,
        bootstrap_servers=bootstrap,
        group_id=f"copy-{target}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=512 * 1024
    )
    async with consumer, producer:
        while True:
            for records in (await consumer.getmany(timeout_ms=200, max_records=AT_ONCE)).values():
                sent = [
                    await producer.send(target, one.value, key=one.key, partition=one.partition)
                    for one in records
                ]
                await asyncio.gather(*sent)
                await consumer.commit()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "source", "target"):
        parser.add_argument(name)
    given = parser.parse_args()
    uvloop.run(copy(given.bootstrap, given.source, given.target))
