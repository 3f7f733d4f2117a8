"""The opponent: the shortest loop of aiokafka and tritonclient that writes the same labels.

It fetches batches, parses the tickets, asks each worker once per batch, several batches in flight,
and writes one label per ticket to the partition of its key, by whole batches. It has everything
that can be prepared: keys, values and headers of all labels, as a run of `classify` wrote them, are
in memory before it begins. It does not look at the answers, has no rule, no metrics and no traces,
and commits what it has read, done or not.

A key's partition it computes as every such loop has to, by aiokafka's own partitioner; with
`--places given` even that is prepared, which leaves a loop that nobody could run on new tickets.
"""

import argparse
import asyncio
import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from tritonclient.grpc.aio import InferenceServerClient, InferInput

from bench.labels import everything

_COMMIT_S = 0.25


@dataclass(frozen=True, slots=True)
class Prepared:
    """A label as it will be written."""

    partition: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


class Bare:
    """One run; `labels` are the prepared ones by input partition and offset."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        producer: AIOKafkaProducer,
        triton: InferenceServerClient,
        given: argparse.Namespace,
        labels: dict[int, dict[int, Prepared]],
    ) -> None:
        self._consumer = consumer
        self._producer = producer
        self._triton = triton
        self._workers = given.workers
        self._topic = given.labels
        self._batch = given.max_batch
        self._labels = labels
        self._given = given.places == "given"
        self._place = DefaultPartitioner()
        self._slots = asyncio.Semaphore(given.in_flight)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._commit())
            while True:
                await self._slots.acquire()
                records: list[Any] = []
                while not records:
                    got = await self._consumer.getmany(timeout_ms=200, max_records=self._batch)
                    records = [record for some in got.values() for record in some]
                tasks.create_task(self._work(records))

    async def _work(self, records: Sequence[Any]) -> None:
        texts = [orjson.loads(record.value)["text"].encode() for record in records]
        tensor = InferInput("TEXT", [len(texts), 1], "BYTES")
        tensor.set_data_from_numpy(np.array(texts, dtype=np.object_).reshape(-1, 1))
        await asyncio.gather(*[self._triton.infer(worker, [tensor]) for worker in self._workers])
        places = sorted(await self._producer.partitions_for(self._topic))
        batches: dict[int, Any] = {}
        now = int(time.time() * 1000)
        for record in records:
            label = self._labels[record.partition][record.offset]
            place = label.partition if self._given else self._place(label.key, places, places)
            batch = batches.get(place)
            if batch is None:
                batch = batches[place] = self._producer.create_batch()
            batch.append(key=label.key, value=label.value, timestamp=now, headers=label.headers)
        sent = [
            await self._producer.send_batch(batch, self._topic, partition=place)
            for place, batch in batches.items()
        ]
        await asyncio.gather(*sent)
        self._slots.release()

    async def _commit(self) -> None:
        while True:
            await asyncio.sleep(_COMMIT_S)
            await self._consumer.commit()


async def prepared(bootstrap: str, topic: str) -> dict[int, dict[int, Prepared]]:
    """The labels that were written to a topic, by the place of their tickets."""
    found: dict[int, dict[int, Prepared]] = {}
    async for record in everything(bootstrap, topic):
        at = orjson.loads(record.value)["position"]
        label = Prepared(record.partition, record.key, record.value, list(record.headers))
        found.setdefault(at["partition"], {})[at["offset"]] = label
    return found


async def main(given: argparse.Namespace) -> None:
    labels = await prepared(given.bootstrap, given.prepared)
    gc.collect()
    gc.freeze()  # or each full collection would walk what was prepared
    consumer = AIOKafkaConsumer(
        given.tickets,
        bootstrap_servers=given.bootstrap,
        group_id=given.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2**20,
        fetch_max_bytes=16 * 2**20,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=given.bootstrap,
        acks="all",
        enable_idempotence=True,
        max_batch_size=512 * 1024,
        max_request_size=8 * 2**20,
    )
    triton = InferenceServerClient(given.triton)
    await producer.start()
    await consumer.start()
    await Bare(consumer, producer, triton, given, labels).run()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("bootstrap", "triton", "tickets", "labels", "prepared", "group"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--workers", nargs="+", required=True)
    parser.add_argument("--places", choices=("hashed", "given"), default="hashed")
    parser.add_argument("--max-batch", type=int, required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main(arguments()))
