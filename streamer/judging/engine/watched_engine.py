"""One vLLM engine, watched so that no caller waits for a dead one."""

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from streamer.errors import ConfigError
from streamer.judging.engine.engine_metrics import EngineMetrics
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.engine.token_budget import TokenBudget
from streamer.judging.judge import EngineDead, Headers

if TYPE_CHECKING:
    from vllm.v1.engine.async_llm import AsyncLLM

Answer = TypeVar("Answer", bound=NDArray[Any])
Ask = Callable[["AsyncLLM", str], AsyncGenerator[Answer, None]]
"""Puts one request, given the engine and the request's id; what is yielded last is the answer."""

_RESTART = "the process must exit without committing and be started again"
_STOP_SECONDS = 5.0
_CLEANED_EVERY = 0.01
# vLLM writes a span for a request without a context too, as a trace of its own.
_NOT_SAMPLED = {"traceparent": f"00-{'1' * 32}-{'1' * 16}-00"}


class WatchedEngine:
    """Answers requests; calls run at the same time and share the engine's batches.

    Its `metrics` begin anew with each start.

    The engine counts as dead when its process ends, or when requests wait and none is answered
    for `stalled_after` seconds. From then on every call, waiting or new, raises `EngineDead`.
    """

    def __init__(
        self,
        settings: EngineSettings,
        arguments: Callable[[], Mapping[str, Any]],
        *,
        stalled_after: float = 120.0,
        look_every: float = 0.5,
    ) -> None:
        """`arguments` gives those of `AsyncEngineArgs`, asked once the environment stands."""
        self._settings = settings
        self._arguments = arguments
        self._stalled_after = stalled_after
        self._look_every = look_every
        self.metrics = EngineMetrics()
        self._numbers = itertools.count()
        self._budget = TokenBudget(0)
        self._waiting = 0
        self._progress = 0.0
        self._engine: AsyncLLM | None = None
        self._processes: list[multiprocessing.process.BaseProcess] = []
        self._watch: asyncio.Task[None] | None = None
        self._death: asyncio.Future[str] | None = None

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The engine's child processes."""
        return tuple(process.pid for process in self._processes if process.pid is not None)

    async def start(self) -> None:
        """Load the engine, which takes most of a minute on a small machine.

        Raises `EngineDead` when it does not come up, `ConfigError` when vLLM refuses the settings.
        """
        os.environ.update(self._settings.environment())
        before = set(multiprocessing.active_children())
        self._death = asyncio.get_running_loop().create_future()
        try:
            self._engine, step = await asyncio.to_thread(self._load)
        except ConfigError:
            raise
        except Exception as error:
            raise EngineDead(f"vLLM did not start ({error}); its log is above") from error
        # One step's is computed, and the next one's waits for it.
        self._budget = TokenBudget(2 * step)
        self._processes = [p for p in multiprocessing.active_children() if p not in before]
        self._watch = asyncio.create_task(self._look())

    @property
    def full(self) -> bool:
        """Whether requests wait because the engine has as many tokens as it should hold."""
        return self._budget.exhausted

    async def answers(self, asks: Sequence[tuple[int, Ask[Answer]]]) -> list[Answer]:
        """The answers to all requests, in their order; each with the tokens it has to compute.

        Raises `EngineDead`.
        """
        engine, death = self._alive()
        work = asyncio.gather(*(self._admitted(engine, tokens, ask) for tokens, ask in asks))
        try:
            await asyncio.wait((work, death), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise EngineDead(death.result())
            return work.result()
        except EngineDead:
            raise
        except Exception as error:
            # Whatever the engine throws at a sound request, its next answers can't be trusted.
            self._die(f"the vLLM engine failed ({error!r}); {_RESTART}")
            raise EngineDead(death.result()) from error
        finally:
            work.cancel()
            work.add_done_callback(_retrieve)

    def headers(self, given: Headers, count: int) -> Sequence[Mapping[str, str] | None]:
        """Trace headers for `count` requests, as the engine is to have them."""
        headers = given or [None] * count
        if self._settings.traces_endpoint is None:
            return headers
        return [header or _NOT_SAMPLED for header in headers]

    async def healthy(self) -> None:
        """Raises `EngineDead` when the engine died, stalled, or was never started."""
        self._alive()

    async def stop(self) -> None:
        """End the engine's processes; calls that still wait get `EngineDead`."""
        self._die("the engine was stopped")
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self._engine is not None:
            await asyncio.to_thread(self._engine.shutdown, _STOP_SECONDS)
            self._engine = None
        await asyncio.to_thread(_end, self._processes)
        self._processes = []

    def _load(self) -> tuple["AsyncLLM", int]:
        """The engine, and how many tokens it computes in one step."""
        from vllm import AsyncEngineArgs
        from vllm.v1.engine.async_llm import AsyncLLM

        arguments = self._arguments()
        try:
            config = AsyncEngineArgs(**arguments).create_engine_config()
        except (ValueError, NotImplementedError) as error:
            raise ConfigError(
                f"judge.engine: vLLM refuses this for {arguments['model']} ({_reason(error)}); "
                "leave out what it names, or take another model"
            ) from error
        engine = AsyncLLM.from_vllm_config(config, stat_loggers=[self.metrics.logger()])
        return engine, int(arguments["max_num_batched_tokens"])

    async def _admitted(self, engine: "AsyncLLM", tokens: int, ask: Ask[Answer]) -> Answer:
        async with self._budget.spend(tokens):
            answer = await self._one(engine, ask)
        return await self._again(engine, ask) if np.isnan(answer).any() else answer

    async def _again(self, engine: "AsyncLLM", ask: Ask[Answer]) -> Answer:
        """The answer of an engine that nothing else is in, before or after it.

        What is no number stays in blocks of the cache, and makes that of whoever gets them next.
        """
        async with self._budget.spend(self._budget.limit):
            with self._waiting_for_it():
                await _clean(engine)
                answer = await self._one(engine, ask)
                if np.isnan(answer).any():
                    await _clean(engine)
                return answer

    async def _one(self, engine: "AsyncLLM", ask: Ask[Answer]) -> Answer:
        with self._waiting_for_it():
            # A request has one answer here; the generator must still run to its end.
            answers = [answer async for answer in ask(engine, str(next(self._numbers)))]
            self._progress = time.monotonic()
            return answers[-1]

    @contextlib.contextmanager
    def _waiting_for_it(self) -> Iterator[None]:
        """Have it noticed where the engine does nothing meanwhile."""
        if self._waiting == 0:
            self._progress = time.monotonic()
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def _look(self) -> None:
        while True:
            trouble = self._trouble()
            if trouble is not None:
                return self._die(trouble)
            await asyncio.sleep(self._look_every)

    def _trouble(self) -> str | None:
        if self._engine is None or self._engine.errored:
            return f"the vLLM engine died; {_RESTART}"
        if not all(process.is_alive() for process in self._processes):
            return f"a process of the vLLM engine ended; {_RESTART}"
        if self._waiting and time.monotonic() - self._progress > self._stalled_after:
            return (
                f"the vLLM engine answered none of {self._waiting} waiting tickets"
                f" for {self._stalled_after:g} s; {_RESTART}"
            )
        return None

    def _die(self, reason: str) -> None:
        if self._death is not None and not self._death.done():
            self._death.set_result(reason)

    def _alive(self) -> tuple["AsyncLLM", asyncio.Future[str]]:
        engine, death = self._engine, self._death
        if death is None:
            raise EngineDead("the vLLM engine is not running; call start() first")
        trouble = self._trouble()
        if trouble is not None:
            self._die(trouble)
        if engine is None or death.done():
            raise EngineDead(death.result())
        return engine, death


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    what = first["msg"].removeprefix("Value error, ")
    return f"{where}: {what}" if where else what


async def _clean(engine: "AsyncLLM") -> None:
    while True:
        if await engine.reset_prefix_cache():
            await engine.collective_rpc("streamer_clean_cache")
            return
        # A request that was given up still has its blocks.
        await asyncio.sleep(_CLEANED_EVERY)


def _retrieve(work: asyncio.Future[Any]) -> None:
    # The caller has its answer already; asyncio would report this error as lost.
    if not work.cancelled():
        work.exception()


def _end(processes: Sequence[multiprocessing.process.BaseProcess]) -> None:
    for process in processes:
        process.join(_STOP_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
