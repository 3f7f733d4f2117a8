"""Trained workers, served by the real Triton, against the same models in this process."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2_grpc

from streamer.dev.triton import Triton
from streamer.errors import ModelError
from streamer.learn.artifacts.repository import write_model
from streamer.learn.train.training import Job, train_workers
from streamer.workers.wire import (
    TextTensor,
    labels_request,
    probs_request,
    read_labels,
    read_probs,
)
from tests.backends.loaders import CLOSE, LOADERS
from tests.backends.remote import configured, made
from tests.conftest import own_triton
from tests.judging.endpoint.served import Served
from tests.judging.endpoint.threaded import threaded
from tests.learn.material import LABELS, made_up
from tests.learn.tiny_encoder import encoder_of
from tests.waiting import eventually

MOST_ROWS = 8
KINDS = (*LOADERS, "llm")
HARD = {
    "empty": b"",
    "spaces": b" \n\t ",
    "emoji": "\U0001f600\U0001f4a9 refund \U0001f1e9\U0001f1ea".encode(),
    "not UTF-8": b"\xff\xfe refund \x80 twice",
    "zero bytes": b"\0\0 password \0",
    "long": b"parcel delivery late " * 50_000,
    "one long word": b"x" * 200_000,
    "special tokens": b"[CLS] refund [SEP] [PAD] [MASK]",
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("repository")
    folder = root / "models"
    examples = made_up(300)
    jobs = [
        Job("topic", f"topic_{kind}", kind, LABELS, examples, encoder=encoder_of(kind))
        for kind in LOADERS
    ]
    train_workers(jobs, folder, seed=1, progress=lambda *_: None, processes=1)
    with threaded(Served()) as server:
        made(configured(root, LABELS.labels), server.url)
        yield folder


@pytest.fixture(scope="module")
def triton(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    with own_triton(tmp_path_factory.mktemp("state"), repository) as server:
        assert eventually(lambda: is_met(server))
        yield server


def is_met(triton: Triton) -> bool:
    """Whether the worker of kind llm has met its endpoint: Triton doesn't wait for that."""
    with grpc.insecure_channel(triton.url) as channel:
        try:
            served(service_pb2_grpc.GRPCInferenceServiceStub(channel), "topic_llm", [b"x"])
        except grpc.RpcError:
            return False
    return True


@pytest.fixture
def stub(triton: Triton) -> Iterator[service_pb2_grpc.GRPCInferenceServiceStub]:
    with grpc.insecure_channel(triton.url) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def served(stub, model: str, texts: list[bytes]) -> np.ndarray:
    found = []
    for part in TextTensor(texts).parts(MOST_ROWS):
        response = stub.ModelInfer(probs_request(model, part), timeout=30)
        version, probs = read_probs(model, response)
        assert version == "1" or model == "topic_llm"
        found.append(probs)
    return np.concatenate(found)


@pytest.mark.parametrize("kind", LOADERS)
def test_served_probabilities_equal_those_in_process(kind: str, repository: Path, stub) -> None:
    texts = list(made_up(200, seed=8).texts)
    own = LOADERS[kind](repository / f"topic_{kind}" / "1").probabilities(texts)
    probs = served(stub, f"topic_{kind}", [text.encode() for text in texts])
    assert probs.shape == (200, 3)
    np.testing.assert_allclose(probs, own, rtol=0, atol=CLOSE.get(kind, 1e-6))
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_hard_rows_get_an_answer_and_disturb_no_other(kind: str, stub) -> None:
    plain = [text.encode() for text in made_up(len(HARD), seed=9).texts]
    mixed = [row for both in zip(HARD.values(), plain, strict=True) for row in both]
    probs = served(stub, f"topic_{kind}", mixed)
    assert np.isfinite(probs).all()
    alone = served(stub, f"topic_{kind}", plain)
    np.testing.assert_allclose(probs[1::2], alone, rtol=0, atol=CLOSE.get(kind, 1e-6))


@pytest.mark.parametrize("kind", KINDS)
def test_requests_that_triton_merges_keep_their_rows(kind: str, stub) -> None:
    texts = [text.encode() for text in made_up(240, seed=10).texts]
    together = served(stub, f"topic_{kind}", texts)
    model = f"topic_{kind}"
    sizes = [1, 2, 3, 4, 5, 6, 7, 8] * 5
    ends = np.cumsum(sizes)
    futures = [
        stub.ModelInfer.future(probs_request(model, TextTensor(texts[end - size : end])))
        for end, size in zip(ends, sizes, strict=True)
    ]
    apart = np.concatenate([read_probs(model, f.result(timeout=30))[1] for f in futures])
    close = CLOSE.get(kind, 1e-6)
    np.testing.assert_allclose(apart, together[: len(apart)], rtol=0, atol=close)


@pytest.mark.parametrize("kind", KINDS)
def test_labels_come_in_the_configured_order(kind: str, stub) -> None:
    model = f"topic_{kind}"
    assert read_labels(model, stub.ModelInfer(labels_request(model)))[1] == LABELS.labels
    asked = {"refund": b"refund charged twice", "login": b"password reset login"}
    for label, text in asked.items():
        assert served(stub, model, [text])[0].argmax() == LABELS.index[label]


def test_a_model_with_another_label_count_is_not_served(tmp_path: Path, repository: Path) -> None:
    models = tmp_path / "models"
    write_model(models, "topic", "word_ngrams", ["one", "two"])
    trained = repository / "topic_word_ngrams" / "1" / "model.npz"
    (models / "topic" / "1" / "model.npz").write_bytes(trained.read_bytes())
    with pytest.raises(ModelError, match="knows 3 labels"):
        own_triton(tmp_path / "state", models).start()
