"""The worker contract as protobuf messages: TEXT goes out, PROBS or label names come back.

Built by hand, because tritonclient's own layer costs ten times as much per batch.
"""

import struct
import sys
from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
from tritonclient.grpc import model_config_pb2, service_pb2

from streamer.workers.faults import Misfit, Nonsense

CANARY = b"My card was charged twice, please help."
CONTRACT = "give Triton a model with TEXT (BYTES, [N,1]) in and PROBS (FP32, [N,K]) out"

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

    def parts(self, most_rows: int) -> "list[TextTensor]":
        """In order, as few as may be of up to so many rows; of none, one of none."""
        if len(self) <= most_rows:
            return [self]
        return [self[first : first + most_rows] for first in range(0, len(self), most_rows)]


def probs_request(
    model: str, tensor: TextTensor, version: str = ""
) -> service_pb2.ModelInferRequest:
    """Ask for the probabilities of all rows; "" is the model's current version."""
    request = service_pb2.ModelInferRequest(
        model_name=model, model_version=version, raw_input_contents=(tensor.raw,)
    )
    request.inputs.add(name="TEXT", datatype="BYTES", shape=(len(tensor), 1))
    # By name, or a model is asked for all that it has.
    request.outputs.add(name="PROBS")
    return request


def labels_request(model: str, version: str = "") -> service_pb2.ModelInferRequest:
    """Ask for a classification of the canary, which names all labels; "" is the current version."""
    request = probs_request(model, TextTensor([CANARY]), version)
    request.outputs[0].parameters["classification"].int64_param = _ALL_CLASSES
    return request


def read_most_rows(model: str, response: service_pb2.ModelConfigResponse) -> int:
    """How many rows one call of the model may have.

    Raises Misfit where it can't be a worker, whatever it would answer.
    """
    config = response.config
    inputs = {tensor.name: tensor for tensor in config.input}
    text = inputs.pop("TEXT", model_config_pb2.ModelInput())
    outputs = {tensor.name: tensor.data_type for tensor in config.output}
    wrong = [
        *_mistyped("input TEXT", text.data_type, model_config_pb2.TYPE_STRING),
        *_mistyped("output PROBS", outputs.get("PROBS", 0), model_config_pb2.TYPE_FP32),
        *(f"it wants an input {name}" for name, other in inputs.items() if not other.optional),
    ]
    if config.model_transaction_policy.decoupled:
        wrong.append("it is decoupled")
    # Without batches of Triton's own the rows are a dimension like any other.
    rows = config.max_batch_size or (text.dims[0] if text.dims else 0)
    if not config.max_batch_size and rows > 1:
        wrong.append(f"its TEXT takes {rows} rows and no other number")
    if wrong:
        raise Misfit(model, ", ".join(wrong), CONTRACT)
    return rows if rows > 0 else sys.maxsize


def _mistyped(what: str, given: int, wanted: int) -> list[str]:
    if given == wanted:
        return []
    name = model_config_pb2.DataType.Name
    return [f"it has no {what} of {name(wanted)}" + (f" but of {name(given)}" if given else "")]


def read_probs(
    model: str, response: service_pb2.ModelInferResponse
) -> tuple[str, npt.NDArray[np.float32]]:
    """The version that answered and its probabilities, [rows, labels]; a read-only view.

    Raises Nonsense when the answer isn't the PROBS of the worker contract.
    """
    outputs = [f"{out.name} {out.datatype} {list(out.shape)}" for out in response.outputs]
    try:
        (output,), (raw,) = response.outputs, response.raw_output_contents
        probs = np.frombuffer(raw, np.float32).reshape(output.shape)
    except ValueError as error:
        raise Nonsense(model, f"answers {', '.join(outputs)} ({error})", CONTRACT) from error
    if (output.name, output.datatype, probs.ndim) != ("PROBS", "FP32", 2):
        raise Nonsense(model, f"answers {outputs[0]}, not PROBS FP32 [N,K]", CONTRACT)
    return response.model_version, probs


def read_labels(
    model: str, response: service_pb2.ModelInferResponse
) -> tuple[str, tuple[str, ...]]:
    """The version that answered and its label names in order; none where it has no label file.

    Raises Nonsense when the answer isn't a classification.
    """
    try:
        (raw,) = response.raw_output_contents
        classes = [text.split(":", 2) for text in _strings(raw)]
        names = {int(parts[1]): parts[2] for parts in classes if len(parts) == 3}
    except (ValueError, struct.error) as error:
        raise Nonsense(model, f"answers something other than label names ({error})") from error
    if len(names) < len(classes):
        return response.model_version, ()
    return response.model_version, tuple(names[i] for i in sorted(names))


def _strings(raw: bytes) -> list[str]:
    strings, end = [], 0
    while end < len(raw):
        (length,) = _LENGTH.unpack_from(raw, end)
        end += _LENGTH.size + length
        strings.append(raw[end - length : end].decode())
    return strings
