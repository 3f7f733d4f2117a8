"""Header names of any bytes, in batches as Kafka sends them, through the client's own fetcher."""

import struct
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy, _DefaultRecordBatchPy
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from streamer.records.fetched import FetchedRecords, _Batch, odd_name, read_any_header_name

TOPIC = TopicPartition("tickets", 0)
ODD = b"x\xff\xfe"
NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
ABORT = struct.pack(">hh", 0, 0)
CONTROL = 0x20


class AnyName(str):
    """A name with bytes that no `str` has: what the pure builder writes is what this encodes to."""

    raw = b""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return self.raw


class Odd(AnyName):
    raw = ODD


@pytest.fixture(autouse=True)
def any_header_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "MemoryRecords", fetcher.MemoryRecords)
    read_any_header_name()


def batch(
    base: int,
    headers: list[list[tuple[str, bytes | None]]],
    *,
    compression: int = NONE,
    producer: int = -1,
    transactional: bool = False,
    control: bool = False,
) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(
        2, compression, transactional, producer, 0, 0, batch_size=10**6
    )
    for number, some in enumerate(headers):
        key = ABORT if control else f"k{base + number}".encode()
        assert builder.append(number, 1000 + number, key, b"v" * 50, some) is not None
    raw = builder.build()
    struct.pack_into(">q", raw, 0, base)
    if control:
        (flags,) = struct.unpack_from(">h", raw, 21)
        struct.pack_into(">h", raw, 21, flags | CONTROL)
        struct.pack_into(">I", raw, 17, calc_crc32c(bytes(raw[21:])))
    return bytes(raw)


def hundred(compression: int, odd: int = 50) -> bytes:
    """A hundred records in one batch, the one at `odd` with a header that has an odd name."""
    names: list[list[tuple[str, bytes | None]]] = [[("plain", b"1"), ("né", None)]] * 100
    names[odd] = [("before", b"b"), (Odd("?"), b"v"), ("", None)]
    return batch(0, names, compression=compression)


def read(raw: bytes, at: int = 0, aborted: Any = ()) -> Iterator[Any]:
    """What the client's fetcher makes of an answer of Kafka's."""
    records = fetcher.MemoryRecords(raw)
    return fetcher.PartitionRecords(TOPIC, records, list(aborted), at, None, None, True, 1)


@pytest.mark.parametrize("compression", [NONE, GZIP, SNAPPY, LZ4, ZSTD])
@pytest.mark.parametrize("odd", [0, 50, 99])
def test_all_of_a_batch_is_read_and_the_odd_name_keeps_its_bytes(
    compression: int, odd: int
) -> None:
    records = list(read(hundred(compression, odd)))
    assert [record.offset for record in records] == list(range(100))
    assert [record.key for record in records] == [f"k{n}".encode() for n in range(100)]
    assert [record.timestamp for record in records] == list(range(1000, 1100))
    names = [
        (name.encode("utf-8", "surrogateescape"), value) for name, value in records[odd].headers
    ]
    assert names == [(b"before", b"b"), (ODD, b"v"), (b"", None)]
    assert records[odd - 1].headers == (("plain", b"1"), ("né", None))


def test_reading_begins_in_the_middle_of_such_a_batch() -> None:
    assert [record.offset for record in read(hundred(LZ4), at=30)] == list(range(30, 100))
    assert [record.offset for record in read(hundred(LZ4), at=70)] == list(range(70, 100))


def test_the_batches_around_it_come_once_each() -> None:
    plain: list[list[tuple[str, bytes | None]]] = [[], []]
    raw = batch(0, plain) + batch(2, [[(Odd("?"), b"1")], []]) + batch(4, plain)
    assert [record.offset for record in read(raw)] == [0, 1, 2, 3, 4, 5]


def test_what_was_aborted_and_control_records_are_passed_over_as_always() -> None:
    odd: list[list[tuple[str, bytes | None]]] = [[(Odd("?"), b"1")], []]
    raw = (
        batch(0, odd, producer=7, transactional=True)
        + batch(2, odd, producer=8, transactional=True)
        + batch(4, [[]], producer=7, transactional=True, control=True)
        + batch(5, odd)
    )
    assert [record.offset for record in read(raw, aborted=[(7, 0)])] == [2, 3, 5, 6]


def test_a_batch_that_is_corrupt_is_an_error_as_before() -> None:
    builder = _DefaultRecordBatchBuilderPy(2, NONE, False, -1, 0, 0, batch_size=10**6)
    builder.append(0, 1, b"k", b"value", [])
    raw = builder.build()
    raw[61] = 2  # The record says that it is one byte long.
    struct.pack_into(">I", raw, 17, calc_crc32c(bytes(raw[21:])))
    with pytest.raises(CorruptRecordException):
        list(read(bytes(raw)))


def test_a_checksum_that_is_wrong_is_an_error_as_before() -> None:
    raw = bytearray(hundred(NONE))
    raw[-1] ^= 1
    with pytest.raises(CorruptRecordException, match="CRC"):
        list(read(bytes(raw)))


def test_the_pure_parser_calls_it_corrupt_and_it_is_read_all_the_same() -> None:
    raw = hundred(LZ4)
    found = list(_Batch(_DefaultRecordBatchPy(raw), memoryview(raw)))
    # The fetcher passes over the fifty that it has had already.
    assert [record.offset for record in found] == [*range(50), *range(100)]


def test_messages_of_before_headers_are_read_as_always() -> None:
    builder = LegacyRecordBatchBuilder(1, 0, 10**6)
    builder.append(0, 1000, b"k", b"v")
    assert [record.value for record in read(bytes(builder.build()))] == [b"v"]


def test_an_answer_without_a_whole_batch_says_so() -> None:
    records = FetchedRecords(hundred(NONE)[:100])
    assert (records.has_next(), records.next_batch(), records.size_in_bytes()) == (False, None, 100)


def test_an_odd_name_is_found_and_can_be_shown() -> None:
    assert odd_name([("plain", b""), ("né", b""), ("x\udcff\udcfe", b"")]) == "x\\xff\\xfe"
    assert odd_name([("plain", b""), ("né", b"")]) is None
