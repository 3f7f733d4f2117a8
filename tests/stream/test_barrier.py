import asyncio
from collections.abc import AsyncIterator, Sequence

from streamer.stream.handler import Barrier, Emission, Record
from tests.stream.rig import Group, Rig, virtual


async def before_and_after(batch: Sequence[Record]) -> AsyncIterator[Group]:
    yield [Emission(record, "labels", b"key", b"before") for record in batch]
    yield Barrier()
    yield [Emission(record, "labels", b"key", b"after") for record in batch]


@virtual
async def test_what_comes_after_a_barrier_waits_until_kafka_has_what_came_before() -> None:
    rig = Rig(before_and_after)
    rig.producer.at_once = False
    rig.feed(0)
    await asyncio.sleep(5)
    assert sent(rig) == [b"before"]
    rig.producer.at_once = True
    rig.producer.acknowledgements[0].set_result(None)
    await asyncio.sleep(1)
    assert sent(rig) == [b"before", b"after"]
    await rig.stop()
    assert rig.consumer.commits == [1]


def sent(rig: Rig) -> list[bytes]:
    return [record["value"] for _, _, records in rig.producer.sent for record in records]
