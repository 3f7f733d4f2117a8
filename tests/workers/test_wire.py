import struct

import numpy as np
import pytest
from tritonclient.grpc import service_pb2
from tritonclient.utils import deserialize_bytes_tensor

from streamer.workers.faults import Outage
from streamer.workers.wire import TextTensor, labels_request, probs_request, read_labels, read_probs

TEXTS = [b"", b"a", "späte Lieferung".encode(), bytes(range(256)), b"x" * 70_000]


def test_texts_are_serialised_as_tritonclient_reads_them() -> None:
    tensor = TextTensor(TEXTS)
    assert list(deserialize_bytes_tensor(tensor.raw)) == TEXTS
    assert list(deserialize_bytes_tensor(tensor[1:3].raw)) == TEXTS[1:3]
    request = probs_request("model", tensor)
    assert (request.inputs[0].name, list(request.inputs[0].shape)) == ("TEXT", [5, 1])


def test_the_output_is_asked_for_by_name() -> None:
    assert [out.name for out in probs_request("m", TextTensor(TEXTS)).outputs] == ["PROBS"]
    assert [out.name for out in labels_request("m").outputs] == ["PROBS"]


@pytest.mark.parametrize(
    ("most", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (4, [4, 1]), (5, [5]), (9, [5])]
)
def test_parts_are_as_few_as_may_be_and_in_order(most: int, sizes: list[int]) -> None:
    parts = TextTensor(TEXTS).parts(most)
    assert [len(part) for part in parts] == sizes
    assert [text for part in parts for text in part.texts] == TEXTS
    assert [len(part) for part in TextTensor([]).parts(most)] == [0]


def response(
    raw: list[bytes],
    *,
    name: str = "PROBS",
    datatype: str = "FP32",
    shape: tuple[int, ...] = (2, 3),
) -> service_pb2.ModelInferResponse:
    made = service_pb2.ModelInferResponse(model_version="7", raw_output_contents=raw)
    made.outputs.add(name=name, datatype=datatype, shape=shape)
    return made


def test_probabilities_come_back_as_they_were() -> None:
    probs = np.arange(6, dtype=np.float32).reshape(2, 3)
    version, found = read_probs("m", response([probs.tobytes()]))
    assert version == "7"
    np.testing.assert_array_equal(found, probs)


@pytest.mark.parametrize(
    "broken",
    [
        response([]),
        response([b"123"]),
        response([bytes(20)]),
        response([bytes(24)], name="LOGITS"),
        response([bytes(24)], datatype="INT32"),
        response([bytes(24)], shape=(6,)),
        service_pb2.ModelInferResponse(),
    ],
)
def test_an_answer_against_the_contract_is_an_outage(broken: object) -> None:
    with pytest.raises(Outage, match="worker m"):
        read_probs("m", broken)


def classified(*texts: str) -> service_pb2.ModelInferResponse:
    raw = b"".join(struct.pack("<I", len(t.encode())) + t.encode() for t in texts)
    return response([raw], datatype="BYTES", shape=(1, len(texts)))


def test_labels_come_in_the_models_order() -> None:
    answer = classified("0.7:1:b: with colons", "0.2:2:ü", "nan:0:a")
    assert read_labels("m", answer) == ("7", ("a", "b: with colons", "ü"))


def test_a_model_without_label_names_has_none() -> None:
    assert read_labels("m", classified("0.7:1", "0.3:0")) == ("7", ())


@pytest.mark.parametrize("raw", [b"\x05", b"\x01\x00\x00\x00\xff", b"\x05\x00\x00\x00x:y:z"])
def test_an_answer_that_is_no_classification_is_an_outage(raw: bytes) -> None:
    with pytest.raises(Outage):
        read_labels("m", response([raw]))
