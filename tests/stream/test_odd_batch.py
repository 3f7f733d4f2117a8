from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords

from streamer.records.fetched import FetchedRecords
from streamer.stream.odd_batch import OddBatch

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
