import asyncio
import os
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from streamer.errors import BrokerError, ConfigError
from streamer.stream.clients import Clients
from streamer.stream.connection import Connection
from streamer.stream.engine import Engine
from tests.integration.copying import LIMIT, Copier, Place
from tests.stream.rig import limited
from tests.waiting import soon


@pytest.fixture
def place(kafka: Kafka) -> Place:
    return Place(kafka)


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(start, start + count)]


async def finish(engine: Engine, task: asyncio.Task[None]) -> None:
    engine.stop()
    await task


async def test_everything_is_copied_and_committed(place: Place) -> None:
    await place.make_topics()
    await place.write(numbered(3000))
    async with place.engine(Copier(place.copy), compression="lz4") as (engine, task, _):
        copies = await place.copies(3000)
        await finish(engine, task)
    assert sorted(int(r.value) for r in copies) == list(range(3000))
    assert all(record.key == b"key %d" % int(record.value) for record in copies)
    assert await place.committed() == 3000
    assert (engine.counts.records, engine.counts.emissions) == (3000, 3000)


async def test_a_new_group_at_latest_reads_only_what_comes_and_keeps_its_place(
    place: Place,
) -> None:
    await place.make_topics()
    await place.write(numbered(10))
    async with place.engine(Copier(place.copy), "latest") as (engine, task, _):
        assert await place.committed_soon(10)
        await finish(engine, task)
    await place.write(numbered(5, start=10))
    async with place.engine(Copier(place.copy), "latest") as (engine, task, _):
        copies = await place.copies(5)
        await finish(engine, task)
    assert sorted(int(r.value) for r in copies) == [10, 11, 12, 13, 14]


async def test_a_new_group_starts_at_a_time(place: Place) -> None:
    await place.make_topics()
    await place.write(numbered(10))
    await asyncio.sleep(0.05)
    moment = datetime.now(UTC)
    await asyncio.sleep(0.05)
    await place.write(numbered(5, start=10))
    async with place.engine(Copier(place.copy), moment) as (engine, task, _):
        copies = await place.copies(5)
        await finish(engine, task)
    assert sorted(int(r.value) for r in copies) == [10, 11, 12, 13, 14]


async def copy_then_delete(place: Place) -> None:
    """Ten records copied and committed, thirty more written, the first twenty-five deleted."""
    await place.make_topics()
    await place.write(numbered(10))
    async with place.engine(Copier(place.copy)) as (engine, task, _):
        await place.copies(10)
        await finish(engine, task)
    await place.write(numbered(30, start=10))
    admin = AIOKafkaAdminClient(bootstrap_servers=place.bootstrap)
    await admin.start()
    await admin.delete_records({TopicPartition(place.source, 0): RecordsToDelete(before_offset=25)})
    await admin.close()


async def test_deleted_records_stop_the_engine_with_their_number(place: Place) -> None:
    await copy_then_delete(place)
    async with place.engine(Copier(place.copy)) as (_, task, _):
        with pytest.raises(ConfigError, match="offset 10 is out of range: 15 records were deleted"):
            await task
    assert await place.committed() == 10


async def test_resume_goes_on_where_the_operator_says(place: Place) -> None:
    await copy_then_delete(place)
    async with place.engine(Copier(place.copy), resume="earliest") as (engine, task, _):
        copies = await place.copies(25)
        await finish(engine, task)
    assert sorted(int(r.value) for r in copies) == [*range(10), *range(25, 40)]
    assert await place.committed() == 40


async def test_members_come_and_go_under_load_without_loss(place: Place) -> None:
    await place.make_topics(partitions=4)
    limits = limited(max_batch=50, in_flight=3, max_buffered=300, drain=3)
    enough = asyncio.Event()
    writing = asyncio.create_task(place.write_until(enough))
    slow = Copier(place.copy, slow=0.2)
    async with place.engine(slow, limits=limits) as (first, task, _):
        assert await soon(lambda: first.counts.emissions > 100)
        async with place.engine(slow, limits=limits) as (second, other, _):
            assert await soon(lambda: second.counts.emissions > 100)
            await finish(second, other)
        async with place.engine(slow, limits=limits) as (third, _, _):
            # Killed in the middle of its work.
            assert await soon(lambda: third.counts.emissions > 100)
        enough.set()
        count = await writing
        copies = await place.copies(count)
        await finish(first, task)
    seen = Counter(int(record.value) for record in copies)
    print(f"{count} records, {len(copies) - count} repeats, {first.counts}")
    assert set(seen) == set(range(count))
    assert first.counts.rebalances >= 3
    # What a member had in flight or not yet committed when it was killed comes again.
    assert len(copies) - count < count // 2


async def test_large_compressed_records_and_deletions_are_copied(place: Place) -> None:
    await place.make_topics()
    large = os.urandom(1000) * (5 * 2**20 // 1000)
    await place.write([large, b"", None], compression="lz4")
    async with place.engine(Copier(place.copy)) as (engine, task, _):
        copies = await place.copies(3)
        await finish(engine, task)
    by_key = {record.key: record.value for record in copies}
    assert by_key == {b"key 0": large, b"key 1": b"", b"key 2": None}


async def test_what_the_output_topic_refuses_stops_the_engine_uncommitted(place: Place) -> None:
    await place.make_topics(copy_config={"max.message.bytes": "2000"})
    await place.write([b"small", os.urandom(10_000)])
    async with place.engine(Copier(place.copy)) as (_, task, _):
        with pytest.raises(BrokerError, match="refused a batch"):
            await task
    assert await place.committed() in (0, 1)


async def test_a_record_over_our_own_limit_becomes_a_dead_letter(place: Place) -> None:
    await place.make_topics()
    place.copy, copy = place.dead, place.copy
    await place.write([os.urandom(1000) * (LIMIT // 1000 + 1), b"small"], compression="lz4")
    async with place.engine(Copier(copy)) as (engine, task, _):
        (letter,) = await place.copies(1)
        await finish(engine, task)
    assert (letter.key, len(letter.value)) == (b"key 0", 64 * 1024)
    assert ("dead.reason", b"too_large_to_copy") in letter.headers
    assert await place.committed() == 2


async def test_an_outage_of_the_handler_holds_the_stream_and_keeps_the_membership(
    place: Place,
) -> None:
    count = 1000
    await place.make_topics(partitions=2)
    await place.write(numbered(count))
    handler = Copier(place.copy)
    handler.gate.clear()
    limits = limited(max_batch=20, in_flight=2, max_buffered=60, drain=3)
    async with place.engine(handler, limits=limits) as (engine, task, consumer):
        assert await soon(lambda: len(consumer.paused()) == 2)
        rebalances, polled = engine.counts.rebalances, engine.polled_at
        # Longer than the session of 6 s: a member that doesn't poll or beat would be gone.
        await asyncio.sleep(8)
        assert engine.polled_at > polled
        assert engine.buffered <= limits.max_buffered + 10
        assert handler.seen == 40
        assert engine.watermark_age > 7
        assert await place.committed() == 0
        handler.gate.set()
        copies = await place.copies(count)
        await finish(engine, task)
    assert engine.counts.rebalances == rebalances
    assert engine.counts.commits_lost == 0
    assert sorted(int(record.value) for record in copies) == list(range(count))


async def test_a_static_member_is_back_at_once_after_a_crash(place: Place) -> None:
    await place.make_topics()
    await place.write(numbered(50))
    async with place.engine(Copier(place.copy), member="one"):
        await place.copies(50)
    await place.write(numbered(50, start=50))
    began = time.monotonic()
    async with place.engine(Copier(place.copy), member="one") as (engine, task, _):
        assert await soon(lambda: engine.counts.emissions >= 50)
        print(f"the member was back after {time.monotonic() - began:.2f} s")
        await finish(engine, task)
    assert set(numbered(100)) == {record.value for record in await place.copies(100)}


async def test_stopping_does_not_wait_for_a_rebalance(place: Place) -> None:
    await place.make_topics(partitions=2)
    await place.write(numbered(100))
    held = Copier(place.copy)
    async with place.engine(held, limits=limited(drain=5)) as (first, _, _):
        assert await soon(lambda: first.counts.emissions == 100)
        held.gate.clear()
        await place.write(numbered(100))
        assert await soon(lambda: held.seen == 200)
        async with place.engine(Copier(place.copy)) as (second, task, _):
            # The first one drains, so this one can't be let in.
            assert await soon(lambda: first.counts.rebalances == 2)
            await finish(second, task)
            assert first.in_flight > 0
        held.gate.set()


async def test_without_kafka_the_error_names_address_and_keys() -> None:
    clients = Clients(Connection(f"127.0.0.1:{free_port()}"))
    producer = clients.producer(limit=LIMIT, compression=None)
    with pytest.raises(ConfigError, match=r"no Kafka answers at 127.*kafka\.bootstrap"):
        async with clients.started(producer):
            raise AssertionError("started without Kafka")
    with pytest.raises(ConfigError, match="no Kafka answers"):
        await clients.ensure_topics(["tickets"])


async def test_plain_kafka_reached_by_tls_is_a_configuration_error(kafka: Kafka) -> None:
    clients = Clients(Connection(kafka.bootstrap, protocol="SSL"))
    consumer = clients.consumer("group", member=None, session_timeout=10, drain=1)
    with pytest.raises(ConfigError, match=r"by SSL.*kafka\.security"):
        async with clients.started(consumer):
            raise AssertionError("started without TLS")


async def test_missing_topics_are_named(place: Place) -> None:
    await place.make_topics()
    await place.clients.ensure_topics([place.source, place.copy])
    with pytest.raises(ConfigError, match="has no topic nowhere: create it"):
        await place.clients.ensure_topics([place.source, "nowhere"])
