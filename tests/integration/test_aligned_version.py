"""Experts in the real Triton, beside the version that they came from and under its name."""

from pathlib import Path

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2_grpc

from streamer.backends.experts import Experts, load_either
from streamer.errors import ModelError
from streamer.learn.align.training import align_worker
from streamer.learn.artifacts.repository import new_version, write_model
from streamer.learn.data.examples import Examples
from streamer.learn.segments.classifier import learn_classifier
from streamer.learn.train.training import Job, train_workers
from streamer.workers.wire import TextTensor, labels_request, probs_request, read_labels, read_probs
from tests.backends.loaders import CLOSE, LOADERS
from tests.conftest import own_triton
from tests.learn.align.planted import LABELS, two_topics
from tests.learn.tiny_encoder import a_kind, encoder_of


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 of every kind is plain, version 2 has experts."""
    folder = tmp_path_factory.mktemp("models")
    stream = two_topics(np.random.default_rng(30), 900)
    plain = Examples(stream.texts, tuple(LABELS.labels[code] for code in stream.label_ids))
    jobs = [Job("topic", kind, kind, LABELS, plain, encoder=encoder_of(kind)) for kind in LOADERS]
    train_workers(jobs, folder, seed=1, progress=lambda *_: None, processes=1)
    classifier = learn_classifier(stream.texts, stream.topics, 2, 1)
    assert classifier is not None
    gate = classifier.gate
    for kind in LOADERS:
        made = align_worker(a_kind(kind), stream.judged(), LABELS, loss="hard", gate=gate, seed=1)
        experts = made.model if isinstance(made.model, Experts) else Experts(gate, made.general, {})
        with new_version(folder, kind) as version:
            experts.save(version)
        write_model(folder, kind, kind, LABELS.labels, version=None, served=2)
    return folder


def test_both_versions_answer_as_in_this_process(repository: Path, tmp_path: Path) -> None:
    fresh = two_topics(np.random.default_rng(31), 300)
    hard = ["", "\U0001f600", "x" * 100_000, *fresh.texts]
    tensor = TextTensor([text.encode() for text in hard])
    with own_triton(tmp_path, repository) as server, grpc.insecure_channel(server.url) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        for kind, load in LOADERS.items():
            for number in ("1", "2"):
                request = probs_request(kind, tensor, version=number)
                version, probs = read_probs(kind, stub.ModelInfer(request, timeout=30))
                assert version == number
                own = load_either(repository / kind / number, load)
                assert isinstance(own, Experts) == (number == "2")
                close = CLOSE.get(kind, 1e-6)
                np.testing.assert_allclose(probs, own.probabilities(hard), rtol=0, atol=close)
            answer = stub.ModelInfer(labels_request(kind))
            assert read_labels(kind, answer) == ("2", LABELS.labels)


def test_a_damaged_version_is_not_served(repository: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    write_model(models, "topic", "word_ngrams", LABELS.labels)
    (models / "topic" / "1" / "gate").mkdir()
    with pytest.raises(ModelError, match=r"experts\.json"):
        own_triton(tmp_path / "state", models).start()
