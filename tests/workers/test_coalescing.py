"""Several questions of one moment, and one call."""

import asyncio

import numpy as np
import pytest

from streamer.workers.coalescing import CoalescingWorker
from streamer.workers.faults import WorkerOut
from streamer.workers.wire import TextTensor
from streamer.workers.worker import WorkerAnswer


class Lengths:
    """Answers the length of each text, and keeps what it was asked."""

    model = "lengths"

    def __init__(self, out: bool = False) -> None:
        self.calls: list[list[bytes]] = []
        self.contexts: list[str | None] = []
        self._out = out

    async def answer(self, tensor: TextTensor, traceparent: str | None = None) -> WorkerAnswer:
        self.calls.append(list(tensor.texts))
        self.contexts.append(traceparent)
        await asyncio.sleep(0)
        if self._out:
            raise WorkerOut(self.model, 1.0, None)
        return WorkerAnswer("3", np.array([[len(text)] for text in tensor.texts], np.float32))


async def test_what_is_asked_together_is_one_call_and_each_gets_its_own_rows() -> None:
    inner = Lengths()
    worker = CoalescingWorker(inner)
    questions = [[b"a", b"bb"], [b"ccc"], [b"dddd", b"eeeee", b"f"]]
    answers = await asyncio.gather(
        *(
            worker.answer(TextTensor(texts), context)
            for texts, context in zip(questions, (None, "first", "second"), strict=True)
        )
    )
    assert inner.calls == [[b"a", b"bb", b"ccc", b"dddd", b"eeeee", b"f"]]
    assert inner.contexts == ["first"]
    for texts, answer in zip(questions, answers, strict=True):
        assert answer.version == "3"
        assert answer.probs[:, 0].tolist() == [len(text) for text in texts]
    await worker.answer(TextTensor([b"later"]))
    assert len(inner.calls) == 2


async def test_who_is_out_is_out_for_all_who_ask() -> None:
    worker = CoalescingWorker(Lengths(out=True))
    found = await asyncio.gather(
        *(worker.answer(TextTensor([b"x"])) for _ in range(3)), return_exceptions=True
    )
    assert [type(one) for one in found] == [WorkerOut] * 3


async def test_who_stops_waiting_leaves_the_others_their_answer() -> None:
    worker = CoalescingWorker(Lengths())
    impatient = asyncio.create_task(worker.answer(TextTensor([b"x"])))
    patient = asyncio.create_task(worker.answer(TextTensor([b"yy"])))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).probs.tolist() == [[2.0]]
    with pytest.raises(asyncio.CancelledError):
        await impatient
