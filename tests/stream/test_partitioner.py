import numpy as np
import pytest
from aiokafka.partitioner import murmur2 as scalar_murmur2
from hypothesis import given
from hypothesis import strategies as st

from streamer.records.murmur2 import FEW, LONG, hashes, murmur2
from streamer.stream.partitioner import partitions

# From the tests of Kafka's Java client (UtilsTest.testMurmur2).
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


def test_hashes_are_those_of_the_java_client() -> None:
    assert murmur2(list(JAVA)).astype(np.int32).tolist() == list(JAVA.values())


@given(st.lists(st.binary(max_size=40) | st.binary(min_size=LONG - 2, max_size=LONG + 9)))
def test_partitions_are_those_of_the_scalar_hash(keys: list[bytes]) -> None:
    for count in (1, 3, 12):
        wanted = [(scalar_murmur2(key) & 0x7FFFFFFF) % count for key in keys]
        assert partitions(keys, count).tolist() == wanted


@pytest.mark.parametrize("count", [FEW - 1, FEW, FEW + 1])
@pytest.mark.parametrize("size", [0, 3, 4, 5, LONG - 1, LONG, LONG + 1])
def test_few_and_many_short_and_long_keys_are_hashed_alike(count: int, size: int) -> None:
    keys = [bytes([200 + place]) * size for place in range(count)] + [b"other"]
    assert hashes(keys).tolist() == [scalar_murmur2(key) & 0xFFFFFFFF for key in keys]


@pytest.mark.parametrize("keys", [[], [b""]])
def test_nothing_to_hash(keys: list[bytes]) -> None:
    assert partitions(keys, 4).shape == (len(keys),)


def test_one_long_key_does_not_widen_the_others() -> None:
    # Padded to the longest, these would take 2 GB.
    keys = [b"short"] * 4096 + [b"x" * 500_000]
    assert set(partitions(keys, 7)[:-1].tolist()) == {(scalar_murmur2(b"short") & 0x7FFFFFFF) % 7}
