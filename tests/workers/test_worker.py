"""A worker against a real Triton: answers, versions, outages, tickets that it can't bear."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from streamer.dev.triton import Triton
from streamer.learn.artifacts.repository import new_version, write_model
from streamer.workers.breaker import Breaker, BreakerState
from streamer.workers.faults import WorkerOut
from streamer.workers.triton import TritonClient
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Worker, WorkerAnswer
from tests.conftest import ECHO_LABELS, own_triton
from tests.waiting import soon

MakeWorker = Callable[..., Worker]


@pytest.fixture
def events() -> Counter[str]:
    return Counter()


@pytest.fixture
async def make(events: Counter[str]) -> AsyncIterator[MakeWorker]:
    """Makes workers of a given Triton and closes them."""
    made: list[Worker] = []
    clients: list[TritonClient] = []

    def worker(triton: Triton, model: str = "echo_a", **settings: object) -> Worker:
        clients.append(TritonClient(triton.url))
        settings = {
            "breaker": Breaker(threshold=3, first_s=0.05, longest_s=0.5),
            "on_event": lambda event: events.update([event]),
            **settings,
        }
        made.append(Worker(clients[-1], model, ECHO_LABELS, **settings))
        return made[-1]

    yield worker
    for one in made:
        await one.close()
    for client in clients:
        await client.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Triton]:
    """A Triton with the models echo_a and echo_b that a test may disturb."""
    for name in ("echo_a", "echo_b"):
        write_model(tmp_path / "models", name, "echo", ECHO_LABELS)
    with own_triton(tmp_path / "state", tmp_path / "models") as server:
        yield server


def tensor(*texts: str) -> TextTensor:
    return TextTensor([text.encode() for text in texts])


def named(answer: WorkerAnswer) -> list[int]:
    return [int(label) for label in answer.probs.argmax(axis=1)]


async def ask_until_out(worker: Worker) -> None:
    # Loading and unloading take effect some time after their call has returned.
    for _ in range(10_000):
        assert (await worker.answer(tensor("#label=1"))).version == "1"


async def test_answers_every_row_in_order(triton_echo: Triton, make: MakeWorker) -> None:
    texts = [f"ticket {i} #label={i % 4}" for i in range(300)]
    a, b = make(triton_echo, "echo_a"), make(triton_echo, "echo_b")
    shared = tensor(*texts, "#label=0 #echo_b=3")
    first, second = await asyncio.gather(a.answer(shared), b.answer(shared))
    assert first.probs.shape == (301, 4)
    np.testing.assert_allclose(first.probs.sum(axis=1), 1, rtol=1e-5)
    assert named(first) == [i % 4 for i in range(300)] + [0]
    assert named(second) == [i % 4 for i in range(300)] + [3]
    assert first.version == "1"


async def test_no_rows_are_answered_by_none(triton_echo: Triton, make: MakeWorker) -> None:
    assert (await make(triton_echo).answer(tensor())).probs.shape == (0, 4)


async def test_a_guilty_row_is_found(
    triton_echo: Triton, make: MakeWorker, events: Counter[str]
) -> None:
    texts = [f"#label={i % 4}" for i in range(20)]
    texts[13] = "#refuse"
    answer = await make(triton_echo).answer(tensor(*texts))
    unusable = np.isnan(answer.probs).all(axis=1)
    assert list(np.flatnonzero(unusable)) == [13]
    assert [n for i, n in enumerate(named(answer)) if i != 13] == [
        i % 4 for i in range(20) if i != 13
    ]
    assert answer.version == "1"
    assert events["refused"] == 1
    assert events["opened"] == 0


async def test_a_row_that_crashes_the_model_does_not_hold_up_the_others(
    triton_echo: Triton, make: MakeWorker, events: Counter[str]
) -> None:
    answer = await make(triton_echo).answer(tensor("#label=1", "#crash", "#label=2"))
    assert np.isnan(answer.probs[1]).all()
    assert (named(answer)[0], named(answer)[2]) == (1, 2)
    assert events["refused"] == 1


async def test_all_rows_guilty(triton_echo: Triton, make: MakeWorker) -> None:
    answer = await make(triton_echo).answer(tensor("#refuse", "#refuse"))
    assert answer.version == ""
    assert np.isnan(answer.probs).all()


async def test_rows_without_meaning_are_passed_on(triton_echo: Triton, make: MakeWorker) -> None:
    answer = await make(triton_echo).answer(tensor("#nan", "#label=3"))
    assert np.isnan(answer.probs[0]).all()
    assert named(answer)[1] == 3


async def test_holds_out_through_a_restart(
    own: Triton, make: MakeWorker, events: Counter[str]
) -> None:
    worker = make(own, abstain_after_s=math.inf)
    await worker.start()
    await asyncio.to_thread(own.stop)
    waiting = [asyncio.create_task(worker.answer(tensor(f"#label={i}"))) for i in range(4)]
    assert await soon(lambda: events["opened"] == 1)
    await asyncio.to_thread(own.start)
    assert [named(answer) for answer in await asyncio.gather(*waiting)] == [[0], [1], [2], [3]]
    assert worker.breaker.state is BreakerState.CLOSED
    assert events["retry"] >= 3
    assert events["opened"] == events["closed"] == 1


async def test_abstains_when_it_has_been_out_too_long_and_comes_back(
    own: Triton, make: MakeWorker, events: Counter[str]
) -> None:
    worker, other = make(own, abstain_after_s=0.3), make(own, "echo_b")
    await worker.start()
    await asyncio.to_thread(own.unload, "echo_a")
    with pytest.raises(WorkerOut, match="echo_a has been out") as caught:
        await ask_until_out(worker)
    assert caught.value.open_s >= 0.3
    with pytest.raises(WorkerOut):
        await worker.answer(tensor("#label=1"))
    assert named(await other.answer(tensor("#label=2"))) == [2]
    await asyncio.to_thread(own.load, "echo_a")
    await worker.back()
    assert named(await worker.answer(tensor("#label=1"))) == [1]
    assert events["closed"] == 1


async def test_meets_a_new_version_before_it_believes_it(
    own: Triton, make: MakeWorker, events: Counter[str], tmp_path: Path
) -> None:
    worker = make(own)
    assert await worker.start() == "1"
    with new_version(tmp_path / "models", "echo_a"):
        pass
    await asyncio.to_thread(own.load, "echo_a")
    answer = await worker.answer(tensor("#label=1"))
    while answer.version == "1":
        answer = await worker.answer(tensor("#label=1"))
    assert answer.version == "2"
    assert events["version"] == 1
    assert events["opened"] == 0


async def test_a_new_version_with_other_labels_keeps_the_breaker_open(
    own: Triton, make: MakeWorker, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    worker = make(own, abstain_after_s=0.5)
    await worker.start()
    write_model(models, "echo_a", "echo", ECHO_LABELS[::-1], version=2)
    await asyncio.to_thread(own.load, "echo_a")
    with pytest.raises(WorkerOut, match="position 0: 'technical' where 'account'"):
        await ask_until_out(worker)
    write_model(models, "echo_a", "echo", ECHO_LABELS, version=3)
    await asyncio.to_thread(own.load, "echo_a")
    await worker.back()
    assert (await worker.answer(tensor("#label=1"))).version == "3"


async def test_a_model_of_another_size_opens_the_breaker(
    own: Triton, make: MakeWorker, tmp_path: Path
) -> None:
    worker = make(own, abstain_after_s=0.5)
    await worker.start()
    write_model(tmp_path / "models", "echo_a", "echo", ECHO_LABELS[:3], version=2)
    await asyncio.to_thread(own.load, "echo_a")
    with pytest.raises(WorkerOut, match="3 labels where 4 are configured"):
        await ask_until_out(worker)


async def test_a_model_that_refuses_everything_is_out_and_no_ticket_is_blamed(
    own: Triton, make: MakeWorker, events: Counter[str], tmp_path: Path
) -> None:
    worker = make(own, abstain_after_s=0.5)
    await worker.start()
    config = write_model(tmp_path / "models", "echo_a", "echo", ECHO_LABELS) / "config.pbtxt"
    config.write_text(config.read_text().replace("dims: [ 1 ]", "dims: [ 2 ]"))
    (tmp_path / "models" / "echo_a" / "2").mkdir()
    await asyncio.to_thread(own.load, "echo_a")
    with pytest.raises(WorkerOut, match="refuses a request"):
        await ask_until_out(worker)
    assert events["refused"] == 0


async def test_calls_in_flight_are_capped(
    triton_echo: Triton, make: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way: list[int] = [0]
    most: list[int] = []
    infer = TritonClient.infer

    async def watched(self: TritonClient, *args: object, **more: str) -> object:
        under_way[0] += 1
        most.append(under_way[0])
        try:
            return await infer(self, *args, **more)
        finally:
            under_way[0] -= 1

    monkeypatch.setattr(TritonClient, "infer", watched)
    worker = make(triton_echo, max_in_flight=2)
    await worker.start()
    await asyncio.gather(*[worker.answer(tensor("#label=1")) for _ in range(20)])
    assert max(most) == 2


async def test_a_model_of_small_batches_is_called_as_often_as_needed_and_no_more(
    own: Triton, make: MakeWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    infer = TritonClient.infer

    async def counted(self: TritonClient, model: str, asked: TextTensor, *args: object) -> object:
        calls.append(len(asked))
        return await infer(self, model, asked, *args)

    async def loaded(rows: int) -> None:
        write_model(tmp_path / "models", "echo_a", "echo", ECHO_LABELS, max_batch_size=rows)
        await asyncio.to_thread(own.load, "echo_a")

    await loaded(8)
    worker = make(own)
    await worker.start()
    monkeypatch.setattr(TritonClient, "infer", counted)
    texts = [f"#label={i % 4}" for i in range(203)]
    assert named(await worker.answer(tensor(*texts))) == [i % 4 for i in range(203)]
    assert sorted(calls) == [3, *[8] * 25]
    # The same version, and Triton lets it take fewer: a limit that is no ticket's fault.
    await loaded(4)
    assert named(await worker.answer(tensor(*texts))) == [i % 4 for i in range(203)]
    calls.clear()
    assert named(await worker.answer(tensor(*texts))) == [i % 4 for i in range(203)]
    assert sorted(calls) == [3, *[4] * 50]
    texts[13] = "#refuse"
    unusable = np.isnan((await worker.answer(tensor(*texts))).probs).all(axis=1)
    assert list(np.flatnonzero(unusable)) == [13]


class Changing:
    """Takes a row a call, and answers with the versions that it was given, the last for ever."""

    def __init__(self, versions: str) -> None:
        self._versions = list(versions)

    async def most_rows(self, *asked: object) -> int:
        return 1

    async def labels(self, model: str, deadline_s: float, version: str) -> tuple[str, object]:
        return version or self._versions[0], ECHO_LABELS

    async def infer(
        self, model: str, asked: TextTensor, *more: object, version: str = ""
    ) -> tuple[str, object]:
        answers = version or self._versions[0]
        if not version and len(self._versions) > 1:
            del self._versions[0]
        return answers, np.full((len(asked), 4), 0.25, np.float32)


@pytest.mark.parametrize("versions", ["1", "112", "12211", "11121112", "2122121", "1112222"])
async def test_a_batch_in_parts_has_one_version(versions: str) -> None:
    worker = Worker(Changing(versions), "echo_a", ECHO_LABELS)
    await worker.start()
    answer = await worker.answer(tensor(*"abcd"))
    assert answer.probs.shape == (4, 4)
    assert answer.version == versions[-1] or versions.count(answer.version) >= 4
    await worker.close()
