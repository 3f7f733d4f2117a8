"""Workers of kind llm in a real Triton, as classify asks them, at an endpoint that tests break."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from streamer.dev.triton import Triton
from streamer.services.classify.vote.shadows import Shadow, Trial
from streamer.workers.breaker import Breaker
from streamer.workers.faults import Outage, WorkerOut
from streamer.workers.handshake import handshake
from streamer.workers.triton import TritonClient
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Worker
from tests.backends.remote import configured, made
from tests.conftest import own_triton
from tests.judging.endpoint.conftest import LABELS
from tests.judging.endpoint.served import Break, Served
from tests.judging.endpoint.threaded import threaded
from tests.k8s.chart import CHART
from tests.waiting import soon

MODEL = "topic_llm"
TEXTS = [f"{name} {number}" for number in range(5) for name in LABELS.labels]
RIGHT = [LABELS.index[text.split()[0]] for text in TEXTS]

MakeWorker = Callable[..., Worker]


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with threaded(Served()) as running:
        yield running


@pytest.fixture
def served(server: Served) -> Iterator[Served]:
    """The endpoint; what a test broke is mended after it."""
    build = server.build
    yield server
    server.breaks, server.build, server.takes = (lambda path, text: None), build, 0.0


@pytest.fixture(scope="module")
def root(server: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of the model, by two prompts; the configuration pins the first."""
    folder = tmp_path_factory.mktemp("llm")
    first = made(configured(folder, LABELS.labels), server.url).name
    pinned = f'{{model: {MODEL}, version: "{first}"}}'
    config = configured(folder, LABELS.labels, pinned)
    prompt = folder / "prompts" / "topic.yaml"
    prompt.write_text(prompt.read_text().replace("You sort", "Please sort"))
    second = made(config, server.url).name
    (folder / "versions").write_text(f"{first} {second}")
    return folder


@pytest.fixture
def versions(root: Path) -> list[str]:
    return (root / "versions").read_text().split()


@pytest.fixture(scope="module")
def triton(root: Path, server: Served) -> Iterator[Triton]:
    """It starts while the endpoint is out, as other workers need it to."""
    server.breaks = lambda path, text: "error"
    with own_triton(root / "state", root / "models") as running:
        server.breaks = lambda path, text: None
        yield running


@pytest.fixture
async def client(triton: Triton) -> AsyncIterator[TritonClient]:
    made = TritonClient(triton.url)
    yield made
    await made.close()


@pytest.fixture
def events() -> Counter[str]:
    return Counter()


@pytest.fixture
async def make(client: TritonClient, events: Counter[str]) -> AsyncIterator[MakeWorker]:
    workers: list[Worker] = []

    def worker(**settings: object) -> Worker:
        breaker = Breaker(threshold=3, first_s=0.05, longest_s=0.2)
        told = {"breaker": breaker, "on_event": lambda event: events.update([event])}
        settings = {**told, **settings}
        workers.append(Worker(client, MODEL, LABELS.labels, **settings))
        return workers[-1]

    yield worker
    for one in workers:
        await one.close()


async def asked(worker: Worker, texts: Sequence[str]) -> np.ndarray:
    return (await worker.answer(TextTensor([text.encode() for text in texts]))).probs


def canary(triton: Triton) -> int:
    """As Kubernetes asks whether the pod lives."""
    command = [sys.executable, str(CHART / "files" / "canary.py")]
    command += [f"http://127.0.0.1:{triton.http_port}", MODEL]
    return subprocess.run(command, timeout=60, check=False).returncode


async def test_versions_answer_side_by_side_and_the_pinned_one_votes(
    served: Served, make: MakeWorker, client: TritonClient, versions: list[str]
) -> None:
    _, second = versions
    for pinned in versions:
        worker = make(version=pinned)
        assert await worker.start(patience_s=30) == pinned
        assert (await asked(worker, TEXTS)).argmax(axis=1).tolist() == RIGHT
    said = await Shadow(client, Trial(MODEL, second, 1.0, 5.0), LABELS.labels).votes(
        [text.encode() for text in TEXTS]
    )
    assert [(vote.version, vote.label) for vote in said] == [
        (second, LABELS.labels[right]) for right in RIGHT
    ]


async def test_a_text_that_hangs_holds_up_no_other_request(
    served: Served, make: MakeWorker
) -> None:
    worker = make()
    await worker.start(patience_s=30)
    served.breaks = lambda path, text: "hang" if "poison" in text else None
    slow = asyncio.create_task(asked(worker, ["billing poison"]))
    fresh = [f"{text} beside" for text in TEXTS]
    assert (await asked(worker, fresh)).argmax(axis=1).tolist() == RIGHT
    assert not slow.done()
    slow.cancel()


async def test_a_poisoned_text_abstains_and_the_breaker_stays_closed(
    served: Served, make: MakeWorker, events: Counter[str]
) -> None:
    worker = make()
    await worker.start(patience_s=30)
    served.breaks = lambda path, text: "refuse" if "refused" in text else None
    probs = await asked(worker, [*TEXTS, "billing refused"])
    assert np.isnan(probs[-1]).all()
    assert probs[:-1].argmax(axis=1).tolist() == RIGHT
    assert events["opened"] == 0


@pytest.mark.parametrize("broken", ["error", "reset", "hang", "busy"])
async def test_an_outage_opens_the_breaker_and_no_text_abstains(
    served: Served, make: MakeWorker, events: Counter[str], triton: Triton, broken: Break
) -> None:
    worker = make(deadline_s=2.0, abstain_after_s=0.5)
    await worker.start(patience_s=30)
    served.breaks = lambda path, text: broken
    fresh = [f"{text} {broken}" for text in TEXTS]
    with pytest.raises(WorkerOut, match="out of service"):
        await asked(worker, fresh)
    assert (events["opened"], events["refused"]) == (1, 0)
    assert triton.healthy()
    assert canary(triton) == 0
    served.breaks = lambda path, text: None
    assert await soon(lambda: events["closed"] > 0)
    assert (await asked(worker, fresh)).argmax(axis=1).tolist() == RIGHT


async def test_another_model_fails_the_handshake_until_the_first_is_back(
    served: Served, make: MakeWorker, client: TritonClient, versions: list[str]
) -> None:
    worker = make(abstain_after_s=0.5)
    await worker.start(patience_s=30)
    served.build = "vllm-0.33.0-ffffffff"
    with pytest.raises(WorkerOut):
        await asked(worker, [f"{text} changed" for text in TEXTS])
    with pytest.raises(Outage, match="run `streamer worker` to make a version of the new one"):
        await handshake(client, MODEL, LABELS.labels, patience_s=3, version=max(versions, key=int))
