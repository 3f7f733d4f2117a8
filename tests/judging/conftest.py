"""The real engine, loaded once per run: these tests run in the judge environment."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from hypothesis import settings

from streamer.judging.classifier.classifier import ClassifierJudge
from streamer.judging.classifier.embedder import Embedder
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.classifier.heads import Head, Heads
from streamer.judging.engine.tokens import TicketTokenizer
from streamer.records.labelset import LabelSet

INTENT = LabelSet(("account", "billing", "shipping", "technical"))
TONE = LabelSet(("negative", "neutral", "positive"))

# A slow machine is no fault of what is tested.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def make_head(encoder: Encoder, labels: LabelSet, seed: int) -> Head:
    """A head with random weights."""
    draw = np.random.default_rng(seed)
    weights = draw.normal(size=(encoder.dimensions, len(labels))).astype(np.float32) * 4
    bias = draw.normal(size=len(labels)).astype(np.float32)
    return Head(labels, encoder.digest, weights, bias, temperature=1.5)


@dataclass(frozen=True, slots=True)
class Running:
    """A started judge with the parts that it was made of."""

    judge: ClassifierJudge
    embedder: Embedder
    heads: dict[str, Head]


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return Encoder.packaged()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(
    encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    models: Path = tmp_path_factory.mktemp("judge")
    heads = {"intent": make_head(encoder, INTENT, 1), "tone": make_head(encoder, TONE, 2)}
    for task, head in heads.items():
        folder = models / task / "1"
        folder.mkdir(parents=True)
        head.save(folder)
    embedder = Embedder(encoder, look_every=0.1)
    loaded = Heads.load(models, {"intent": INTENT, "tone": TONE}, encoder)
    judge = ClassifierJudge(embedder, TicketTokenizer(encoder), loaded)
    await judge.start()
    yield Running(judge, embedder, heads)
    await judge.stop()
