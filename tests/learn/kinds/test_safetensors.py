import json
import struct
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ConfigError
from streamer.learn.kinds.safetensors import read_safetensors
from tests.learn.tiny_encoder import write_safetensors

NUMBERS = np.array([[0.5, -2.0, 3.25], [1.0, 0.0, -0.125]], np.float32)


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [
        ("F32", NUMBERS),
        ("F16", NUMBERS.astype(np.float16)),
        ("BF16", (NUMBERS.view(np.uint32) >> 16).astype(np.uint16)),
    ],
)
def test_arrays_of_every_precision_are_read_as_float32(
    tmp_path: Path, dtype: str, stored: np.ndarray
) -> None:
    write_safetensors(tmp_path / "w", {"a": stored, "b": stored[:1]}, dtype)
    found = read_safetensors(tmp_path / "w")
    assert found["a"].dtype == np.float32
    np.testing.assert_array_equal(found["a"], NUMBERS)
    np.testing.assert_array_equal(found["b"], NUMBERS[:1])


def test_arrays_of_whole_numbers_are_left_out(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "w", {"places": np.arange(4)}, "I64")
    assert read_safetensors(tmp_path / "w") == {}


def headed(told: object, data: bytes = b"") -> bytes:
    head = json.dumps(told).encode()
    return struct.pack("<Q", len(head)) + head + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 40,
        b"\x80\x04K\x01.",
        struct.pack("<Q", 2**60) + b"{}",
        headed([]),
        headed({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, bytes(8)),
        headed({"a": {"dtype": "F32", "shape": [2]}}, bytes(8)),
        headed({"a": 3}),
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(ConfigError, match="no safetensors file"):
        read_safetensors(tmp_path / "w")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_safetensors(tmp_path / "w")
