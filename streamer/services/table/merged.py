"""The records of several partitions in the order of time."""

import heapq
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from streamer.stream.handler import Record
from streamer.stream.reading import Part, Reader

if TYPE_CHECKING:
    from streamer.stream.clients import Clients


async def merged(clients: "Clients", parts: Iterable[Part]) -> AsyncIterator[Record]:
    """All records of the parts, by their Kafka timestamps; those of one partition in their order.

    Raises `BrokerError` where Kafka stops answering.
    """
    async with AsyncExitStack() as stack:
        streams = []
        for part in parts:
            reader = await stack.enter_async_context(Reader.of(clients, [part.partition.topic]))
            streams.append(_one_by_one(reader, part))
        heads = [(number, await anext(stream, None)) for number, stream in enumerate(streams)]
        queue = [(head.timestamp, number, head) for number, head in heads if head is not None]
        heapq.heapify(queue)
        while queue:
            _, number, record = queue[0]
            yield record
            following = await anext(streams[number], None)
            if following is None:
                heapq.heappop(queue)
            else:
                heapq.heapreplace(queue, (following.timestamp, number, following))


async def _one_by_one(reader: Reader, part: Part) -> AsyncIterator[Record]:
    async for batch in reader.batches([part]):
        for record in batch:
            yield record
