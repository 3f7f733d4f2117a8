import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import MessageSizeTooLargeError

from streamer.records.fetched import FetchedRecords
from streamer.stream.odd_batch import OddBatch, Producer

ODD = ("x\udcff\udcfe", b"v")
PLAIN = ("né", b"w")


def read(batch: OddBatch) -> list[Any]:
    records = FetchedRecords(bytes(batch._build()))
    return list(PartitionRecords(TopicPartition("t", 0), records, [], 0, None, None, True, 1))


@pytest.mark.parametrize("compression", range(5))
def test_what_is_read_can_be_written_byte_for_byte(compression: int) -> None:
    batch = OddBatch(10**6, compression)
    for headers in ([ODD, PLAIN], [PLAIN], [ODD], []):
        assert batch.append(timestamp=1, key=b"k", value=b"v", headers=headers) is not None
    batch._set_producer_state(5, 0, 0)
    assert batch.record_count() == 4
    found = [record.headers for record in read(batch)]
    assert found == [(ODD, PLAIN), (PLAIN,), (ODD,), ()]


def test_a_batch_that_has_begun_without_is_full_for_an_odd_name_and_keeps_what_it_has() -> None:
    batch = OddBatch(10**6, 0)
    assert batch.append(timestamp=1, key=b"k", value=b"v", headers=[PLAIN]) is not None
    assert batch.append(timestamp=1, key=b"k", value=b"v", headers=[ODD]) is None
    assert batch.append(timestamp=1, key=b"k", value=b"v", headers=[PLAIN]) is None
    assert [record.headers for record in read(batch)] == [(PLAIN,)]


def test_a_full_batch_of_this_kind_says_so() -> None:
    batch = OddBatch(300, 0)
    assert batch.append(timestamp=1, key=b"k", value=b"v" * 100, headers=[ODD]) is not None
    assert batch.append(timestamp=1, key=b"k", value=b"v" * 200, headers=[ODD]) is None


def built(headers: list[Any], compression: int, state: tuple[int, int, int] | None) -> bytes:
    batch = OddBatch(10**6, compression)
    value = b"v" * 1000  # or it would not be smaller compressed
    assert batch.append(timestamp=7, key=b"k", value=value, headers=headers) is not None
    if state is not None:
        batch._set_producer_state(*state)
    return bytes(batch._build())


@pytest.mark.parametrize("state", [None, (5, 3, 9)])
@pytest.mark.parametrize("compression", range(5))
def test_but_for_the_name_the_batch_is_the_same_as_any_other(
    compression: int, state: tuple[int, int, int] | None
) -> None:
    odd, plain = (built([(name, b"v")], compression, state) for name in ("\udcff\udcfe", "nn"))
    # From the attributes to the count of records: lengths and the check sum differ by the name.
    assert odd[21:61] == plain[21:61]
    assert odd[16] == plain[16] == 2
    assert odd[43:57] == struct.pack(">qhi", *(state or (-1, -1, 0)))
    if compression == 0:
        assert odd[61:].replace(b"\xff\xfe", b"nn") == plain[61:]


@asynccontextmanager
async def producing(**options: Any) -> AsyncIterator[Producer]:
    producer = Producer(bootstrap_servers="kafka:9092", **options)
    try:
        yield producer
    finally:
        await producer.stop()


async def test_the_producer_makes_batches_of_this_kind_by_its_own_settings() -> None:
    async with producing(compression_type="gzip", max_batch_size=300) as producer:
        batch = producer.create_batch()
    assert isinstance(batch, OddBatch)
    assert batch.append(timestamp=1, key=b"k", value=b"v" * 100, headers=[ODD]) is not None
    assert batch.append(timestamp=1, key=b"k", value=b"v" * 200, headers=[ODD]) is None
    assert bytes(batch._build())[22] == 1, "gzip"


async def test_a_name_counts_its_bytes_towards_what_a_request_may_have() -> None:
    async with producing(max_request_size=500) as producer:
        assert producer._serialize(b"k", b"v", [("\udcff" * 400, b"w")]) == (b"k", b"v")
        for headers in ([("\udcff" * 500, b"w")], [("é" * 250, b"w")], [("n", b"w" * 500)]):
            with pytest.raises(MessageSizeTooLargeError):
                producer._serialize(b"k", b"v", headers)
