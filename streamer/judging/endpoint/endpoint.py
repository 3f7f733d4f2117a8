"""An endpoint that is asked until it answers, without being drowned and without blaming tickets."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from streamer.errors import DEFECTS, OutsideFault
from streamer.judging.endpoint.address import Address
from streamer.judging.endpoint.blame import Blame
from streamer.judging.endpoint.faults import Busy, Failed, Refused
from streamer.judging.endpoint.identity import Identity
from streamer.judging.endpoint.question import Question
from streamer.judging.endpoint.wire import Wire
from streamer.judging.judge import EngineDead
from streamer.judging.model_call import ModelCall
from streamer.judging.surroundings import Outcome
from streamer.judging.usage import charge

T = TypeVar("T")

log = logging.getLogger(__name__)

# Seconds before a question that failed is put again, doubled each time.
AGAIN = 0.01
_AGAIN_AT_MOST = 1.0
_TELL_EVERY = 60.0
# Before it is known what the endpoint answers: until it is asked the same again.
_UNKNOWN = 0.5
# What OpenTelemetry's conventions call what is done there.
_OPERATIONS = {"/chat/completions": "chat", "/completions": "text_completion"}


class Elsewhere(EngineDead, OutsideFault):
    """The endpoint is not what it was at start, whatever it is asked."""


class Endpoint:
    """Puts questions, `address.in_flight` at most at once, and each until it is answered.

    After a failure one question that it could answer before is put, again and again until it is
    answered; everything else waits. So an outage costs one request at a time, and a ticket that
    alone gets no answer shows. Belongs to one event loop. `on_event` hears what becomes of each
    request, `on_tokens` what answers cost.
    """

    def __init__(
        self,
        address: Address,
        *,
        refused_for: float = 120.0,
        on_event: Callable[[Outcome], None] = lambda outcome: None,
        on_tokens: Callable[[int], None] = lambda tokens: None,
    ) -> None:
        """What it took at start may be refused for so many seconds. Raises `ConfigError`."""
        self.address = address
        self.identity: Identity | None = None
        self._wire = Wire(address)
        self._refused_for = refused_for
        self._on_event = on_event
        self._on_tokens = on_tokens
        self._slots = asyncio.Semaphore(address.in_flight)
        self._well = asyncio.Event()
        self._well.set()
        self._open_at = 0.0
        self._unasked = 0.5
        self._controls: Sequence[Question[Any]] = ()
        self._examination: asyncio.Task[bool] | None = None
        self._out = False
        self._end: str | None = None

    @property
    def full(self) -> bool:
        """Whether questions wait: for one of those in flight, or for the endpoint."""
        return self._slots.locked() or not self._well.is_set() or self._pause > 0

    @property
    def out(self) -> bool:
        """Whether it is known to answer nothing just now, or asks to be left alone."""
        return self._out or self._pause > 0

    def rely_on(self, identity: Identity | None, *controls: Question[Any]) -> None:
        """From now on `controls` tell whether the endpoint is in service: it answered them.

        One of each kind that is asked of it. Answers of another than `identity` are not taken.
        """
        self._controls, self.identity = controls, identity

    async def ask(self, question: Question[T]) -> T:
        """The answer. Raises `TicketError` where this question alone gets none, `EngineDead`."""
        blame = Blame()
        while True:
            await self._well.wait()
            if (pause := self._pause) > 0:
                await asyncio.sleep(pause)
                continue
            self.check()
            try:
                async with self._slots:
                    return await self.once(question)
            except Busy as busy:
                self._leave_alone(busy.seconds)
            except (Failed, Refused) as error:
                blame.take(error, await self._examined())
                await asyncio.sleep(min(AGAIN * 2**blame.failures, _AGAIN_AT_MOST))

    async def once(self, question: Question[T]) -> T:
        """The answer to one request. Raises `Busy`, `Failed`, `Refused` or `EngineDead`."""
        try:
            said = await self._wire.post(question.url, question.body, question.headers)
            found = Identity.of(said)
            self._on_tokens(charge(said, self._call(question, found)))
            self._recognise(found)
            answer = question.read(said)
        except (Busy, Failed, Refused) as fault:
            self._on_event(_event(fault))
            raise
        except DEFECTS as odd:
            self._on_event("failed")
            raise Failed("unusable", f"an answer that is none ({type(odd).__name__})") from None
        self._unasked = 0.5
        self._on_event("answered")
        return answer

    async def get(self, url: str) -> Any:
        """What lies there. Raises `Busy`, `Failed` or `Refused`."""
        return await self._wire.get(url)

    def check(self) -> None:
        """Raises `EngineDead` where it is another model by now, or refuses everything."""
        if self._end is not None:
            raise Elsewhere(self._end)

    async def stop(self) -> None:
        """Whoever waits gets `EngineDead`."""
        self._end = self._end or "the judge was stopped"
        if self._examination is not None:
            self._examination.cancel()
            await asyncio.gather(self._examination, return_exceptions=True)
        self._well.set()
        await self._wire.close()

    @property
    def _pause(self) -> float:
        return max(0.0, self._open_at - time.monotonic())

    def _leave_alone(self, seconds: float | None) -> None:
        if seconds is None:
            seconds = self._unasked
            self._unasked = min(2 * self._unasked, 30.0)
        self._open_at = max(self._open_at, time.monotonic() + seconds)

    def _call(self, question: Question[Any], found: Identity | None) -> ModelCall | None:
        operation = _OPERATIONS.get(question.url.removeprefix(self.address.base))
        if found is None or operation is None:
            return None
        return ModelCall(
            operation=operation,
            provider="vllm" if (found.build or "").startswith("vllm") else "openai",
            asked=str(question.body["model"]),
            answered=found.model,
            host=self.address.hostname,
            port=self.address.port,
        )

    def _recognise(self, found: Identity | None) -> None:
        if self.identity is None or found is None or found == self.identity:
            return
        self._end = (
            f"the endpoint {self.address.host} answers by {found}, and at start it was "
            f"{self.identity}: the process must exit and be started again, to judge by the new one"
        )
        raise Elsewhere(self._end)

    async def _examined(self) -> bool:
        """Whether the endpoint is in service; if not, this waits until it is."""
        if self._examination is None or self._examination.done():
            self._examination = asyncio.create_task(self._examine())
        try:
            return await asyncio.shield(self._examination)
        except asyncio.CancelledError:
            self.check()
            raise

    async def _examine(self) -> bool:
        if not self._controls:
            await asyncio.sleep(_UNKNOWN)
            return True
        self._well.clear()
        began = told = time.monotonic()
        try:
            for pause in _pauses():
                await asyncio.sleep(self._pause)
                trouble = await self._trouble()
                if trouble is None:
                    break
                if isinstance(trouble, Busy):
                    continue
                now = time.monotonic()
                if not self._out or now - told > _TELL_EVERY:
                    log.warning("the judge's endpoint is out of service: %s", trouble)
                    told = now
                self._out = True
                if isinstance(trouble, Refused) and now - began > self._refused_for:
                    self._end = (
                        f"the endpoint {self.address.host} refuses what it took at start "
                        f"({trouble}): look whether key and model are still right"
                    )
                    break
                await asyncio.sleep(pause)
        finally:
            well, self._out = not self._out, False
            self._well.set()
        if not well and self._end is None:
            log.info("the judge's endpoint is back after %.0f s", time.monotonic() - began)
        return well

    async def _trouble(self) -> Busy | Failed | Refused | None:
        try:
            for control in self._controls:
                await self.once(control)
        except Busy as busy:
            self._leave_alone(busy.seconds)
            return busy
        except (Failed, Refused) as fault:
            return fault
        return None


def _event(fault: Busy | Failed | Refused) -> Outcome:
    if isinstance(fault, Busy):
        return "busy"
    return "refused" if isinstance(fault, Refused) else "failed"


def _pauses() -> Iterator[float]:
    pause = 0.1
    while True:
        yield pause
        pause = min(2 * pause, 5.0)
