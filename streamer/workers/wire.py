"""The worker contract as protobuf messages: TEXT goes out, PROBS or label names come back.

Built by hand, because tritonclient's own layer costs ten times as much per batch.
"""

import struct
from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
from tritonclient.grpc import service_pb2

from streamer.workers.faults import Outage

CANARY = b"My card was charged twice, please help."

# More than any label set: Triton answers with as many classes as there are.
_ALL_CLASSES = 1_000_000
_LENGTH = struct.Struct("<I")


class TextTensor:
    """The texts of a batch, serialised once for all workers; `tensor[a:b]` is a part of them."""

    __slots__ = ("raw", "texts")

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.texts = texts
        lengths = map(_LENGTH.pack, map(len, texts))
        self.raw = b"".join(chain.from_iterable(zip(lengths, texts, strict=True)))

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, rows: slice) -> "TextTensor":
        return TextTensor(self.texts[rows])


def probs_request(
    model: str, tensor: TextTensor, version: str = ""
) -> service_pb2.ModelInferRequest:
    """Ask for the probabilities of all rows; "" is the model's current version."""
    request = service_pb2.ModelInferRequest(
        model_name=model, model_version=version, raw_input_contents=(tensor.raw,)
    )
    request.inputs.add(name="TEXT", datatype="BYTES", shape=(len(tensor), 1))
    return request


def labels_request(model: str, version: str = "") -> service_pb2.ModelInferRequest:
    """Ask for a classification of the canary, which names all labels; "" is the current version."""
    request = probs_request(model, TextTensor([CANARY]), version)
    output = request.outputs.add(name="PROBS")
    output.parameters["classification"].int64_param = _ALL_CLASSES
    return request


def read_probs(
    model: str, response: service_pb2.ModelInferResponse
) -> tuple[str, npt.NDArray[np.float32]]:
    """The version that answered and its probabilities, [rows, labels]; a read-only view.

    Raises Outage when the answer isn't the PROBS of the worker contract.
    """
    try:
        (output,), (raw,) = response.outputs, response.raw_output_contents
        probs = np.frombuffer(raw, np.float32).reshape(output.shape)
    except ValueError as error:
        raise Outage(model, f"answers something other than one FP32 tensor ({error})") from error
    if (output.name, output.datatype, probs.ndim) != ("PROBS", "FP32", 2):
        shape = list(output.shape)
        raise Outage(
            model, f"answers {output.name} {output.datatype} {shape}, not PROBS FP32 [N,K]"
        )
    return response.model_version, probs


def read_labels(
    model: str, response: service_pb2.ModelInferResponse
) -> tuple[str, tuple[str, ...]]:
    """The version that answered and its label names in order; none where it has no label file.

    Raises Outage when the answer isn't a classification.
    """
    try:
        (raw,) = response.raw_output_contents
        classes = [text.split(":", 2) for text in _strings(raw)]
    except (ValueError, struct.error) as error:
        raise Outage(model, f"answers something other than label names ({error})") from error
    names = {int(parts[1]): parts[2] for parts in classes if len(parts) == 3}
    if len(names) < len(classes):
        return response.model_version, ()
    return response.model_version, tuple(names[i] for i in sorted(names))


def _strings(raw: bytes) -> list[str]:
    found, at = [], 0
    while at < len(raw):
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size + length
        found.append(raw[at - length : at].decode())
    return found
