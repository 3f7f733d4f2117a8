"""A worker that several ask at the same moment, and that is called once for all of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from streamer.workers.wire import TextTensor
from streamer.workers.worker import WorkerAnswer, WorkerPort


@dataclass(frozen=True, slots=True)
class _Question:
    tensor: TextTensor
    traceparent: str | None
    answer: "asyncio.Future[WorkerAnswer]"


class CoalescingWorker:
    """Hands on to `worker`, together, what is asked within one turn of the event loop.

    Routes of several segments share workers: to call one for each route would split a batch for
    nothing.
    """

    def __init__(self, worker: WorkerPort) -> None:
        self._worker = worker
        self._waiting: list[_Question] = []
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def model(self) -> str:
        return self._worker.model

    async def answer(self, tensor: TextTensor, traceparent: str | None = None) -> WorkerAnswer:
        """The worker's answer for these rows. Raises what the worker raises."""
        loop = asyncio.get_running_loop()
        question = _Question(tensor, traceparent, loop.create_future())
        self._waiting.append(question)
        if len(self._waiting) == 1:
            loop.call_soon(self._call)
        return await question.answer

    def _call(self) -> None:
        waiting, self._waiting = self._waiting, []
        call = asyncio.create_task(self._asked(waiting))
        self._calls.add(call)
        call.add_done_callback(self._ended)

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        # Whoever asked has it already.
        if not call.cancelled():
            call.exception()

    async def _asked(self, questions: Sequence[_Question]) -> None:
        tensor = questions[0].tensor
        if len(questions) > 1:
            tensor = TextTensor([text for question in questions for text in question.tensor.texts])
        traceparent = next(
            (question.traceparent for question in questions if question.traceparent), None
        )
        try:
            answer = await self._worker.answer(tensor, traceparent)
        except asyncio.CancelledError:
            for question in questions:
                question.answer.cancel()
            raise
        except BaseException as error:
            for question in questions:
                if not question.answer.done():
                    question.answer.set_exception(error)
            raise
        ends = list(accumulate(len(question.tensor) for question in questions))
        for question, start, end in zip(questions, [0, *ends], ends, strict=False):
            if not question.answer.done():
                question.answer.set_result(WorkerAnswer(answer.version, answer.probs[start:end]))
