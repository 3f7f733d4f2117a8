"""Writing ONNX: nodes and constants as the bytes of a model, by the numbers of onnx.proto3.

Some ten messages, so by hand: the package onnx would bring 70 MB to write them.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

RUNTIME = "com.microsoft"
"""The domain of what ONNX Runtime has beyond the standard."""

_IR, _OPSET, _RUNTIME_OPSET = 8, 17, 1
_TYPES = {"float32": 1, "int32": 6, "int64": 7}
_FLOAT, _INT, _INTS = 1, 2, 7


def type_number(dtype: npt.DTypeLike) -> int:
    """What ONNX calls a type of numpy's."""
    return _TYPES[np.dtype(dtype).name]


def node(
    kind: str, inputs: Sequence[str], output: str, domain: str, attributes: Mapping[str, Any]
) -> bytes:
    """One operation; an attribute is a float, an integer or a list of integers."""
    told = [(5, _attribute(name, value)) for name, value in attributes.items()]
    return _message([*((1, each) for each in inputs), (2, output), (4, kind), *told, (7, domain)])


def constant(name: str, array: npt.NDArray[Any]) -> bytes:
    """An array with its name."""
    dims = [(1, size) for size in array.shape]
    data = np.ascontiguousarray(array).tobytes()
    return _message([*dims, (2, type_number(array.dtype)), (8, name), (9, data)])


def value(name: str, dtype: npt.DTypeLike, dims: Sequence[int | str]) -> bytes:
    """An input or output; a dimension has a size, or a name where it varies."""
    shape = [(1, _message([(1 if isinstance(dim, int) else 2, dim)])) for dim in dims]
    tensor = _message([(1, type_number(dtype)), (2, _message(shape))])
    return _message([(1, name), (2, _message([(1, tensor)]))])


def model(
    nodes: Sequence[bytes],
    constants: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
) -> bytes:
    """A whole file of a graph."""
    parts = ((1, nodes), (5, constants), (11, inputs), (12, outputs))
    graph = _message([(2, "graph"), *((field, each) for field, some in parts for each in some)])
    opsets = (("", _OPSET), (RUNTIME, _RUNTIME_OPSET))
    told = [(8, _message([(1, domain), (2, number)])) for domain, number in opsets]
    return _message([(1, _IR), (7, graph), *told])


def _attribute(name: str, given: Any) -> bytes:
    if isinstance(given, float):
        return _message([(1, name), (2, given), (20, _FLOAT)])
    if isinstance(given, int):
        return _message([(1, name), (3, given), (20, _INT)])
    return _message([(1, name), *((8, each) for each in given), (20, _INTS)])


def _message(fields: Iterable[tuple[int, bytes | str | int | float]]) -> bytes:
    return b"".join([_field(number, given) for number, given in fields])


def _field(number: int, given: bytes | str | int | float) -> bytes:
    if isinstance(given, float):
        return _varint(number << 3 | 5) + struct.pack("<f", given)
    if isinstance(given, int):
        return _varint(number << 3) + _varint(given % 2**64)
    data = given.encode() if isinstance(given, str) else given
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    made.append(number)
    return bytes(made)
