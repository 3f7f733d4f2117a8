"""Reading a file of named arrays in the format safetensors: numbers alone, nothing is run."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.errors import ConfigError, in_words

Arrays = dict[str, npt.NDArray[np.float32]]

_TYPES: dict[str, npt.DTypeLike] = {"F32": np.float32, "F16": np.float16}
_BRAIN = "BF16"


def read_safetensors(path: Path) -> Arrays:
    """Its floating-point arrays, as float32. Raises `ConfigError` where it is no such file."""
    try:
        raw = path.read_bytes()
        (length,) = struct.unpack("<Q", raw[:8])
        if 8 + length > len(raw):
            raise ValueError("it is cut off")
        head = json.loads(raw[8 : 8 + length])
        head.pop("__metadata__", None)
        body = memoryview(raw)[8 + length :]
        return {
            name: _array(told["dtype"], body[slice(*told["data_offsets"])], told["shape"])
            for name, told in head.items()
            if told["dtype"] in (*_TYPES, _BRAIN)
        }
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise ConfigError(
            f"{path} is no safetensors file ({in_words(error)}); name another folder"
        ) from error


def _array(dtype: str, data: memoryview, shape: list[int]) -> Any:
    if dtype == _BRAIN:
        # The upper half of a float32.
        wide = np.frombuffer(data, np.uint16).astype(np.uint32) << 16
        return wide.view(np.float32).reshape(shape)
    return np.frombuffer(data, _TYPES[dtype]).astype(np.float32).reshape(shape)
