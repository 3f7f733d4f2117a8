"""MiniLM of the package: the graph in ONNX Runtime beside PyTorch, and a worker of it in Triton."""

import asyncio
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from streamer.backends.encoder_model import EncoderModel
from streamer.judging.classifier.encoder import Encoder
from streamer.learn.judge.judge_process import JudgeProcess
from streamer.learn.kinds.pretrained import Pretrained
from streamer.learn.train.training import Job, train_workers
from streamer.workers.triton import TritonClient
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Worker
from tests.conftest import own_triton
from tests.learn.material import LABELS, made_up
from tests.stage import JUDGE_PYTHON

pytestmark = pytest.mark.slow

MINILM = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors, as its authors publish it."""

TEXTS = [
    "My card was charged twice and I want a refund!",
    "Wo ist mein Paket? \U0001f4e6",
    "[SEP] is written here as five characters",
    "a",
    "where is my parcel " * 40,
    *made_up(60).texts,
]


def test_the_packages_weights_are_those_that_were_published() -> None:
    weights = (Encoder.packaged().folder / "model.safetensors").read_bytes()
    assert sha256(weights).hexdigest() == MINILM


def test_embeddings_are_those_of_pytorch() -> None:
    encoder = Encoder.packaged()
    found = Pretrained(encoder).embeddings(TEXTS)
    wanted, digest = JudgeProcess(JUDGE_PYTHON).embed(TEXTS, lambda done, total: None)
    assert digest == encoder.digest
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)


async def asked(url: str, texts: list[str]) -> np.ndarray:
    client = TritonClient(url)
    worker = Worker(client, "topic", LABELS.labels)
    await worker.start(patience_s=30)
    try:
        answer = await worker.answer(TextTensor([text.encode() for text in texts]))
    finally:
        await worker.close()
        await client.close()
    assert answer.version == "1"
    return answer.probs


def test_a_worker_of_it_learns_and_answers_more_rows_than_a_call_may_have(tmp_path: Path) -> None:
    models = tmp_path / "models"
    job = Job("topic", "topic", "encoder", LABELS, made_up(240))
    made = train_workers([job], models, seed=1, progress=lambda *_: None, processes=1)["topic"]
    assert made.held_out.accuracy > 0.8
    texts = list(made_up(150, seed=5).texts)
    with own_triton(tmp_path / "state", models) as triton:
        probs = asyncio.run(asked(triton.url, texts))
    own = EncoderModel.load(models / "topic" / "1").probabilities(texts)
    np.testing.assert_allclose(probs, own, rtol=0, atol=1e-5)
