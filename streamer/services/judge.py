"""The judge service: judge requests in, final labels out."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

from streamer.config.settings import Settings
from streamer.judging.classifier import ClassifierJudge
from streamer.judging.judge import Judge
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.services.judge_handler import JudgeHandler
from streamer.services.memory import Memory
from streamer.services.streaming import Status, Stream
from streamer.stream.positions import Start

HEALTH_EVERY = 2.0


async def serve(settings: Settings, stop: asyncio.Event, resume: Start | None = None) -> None:
    """Run until `stop` is set. Raises `ConfigError`, `EngineDead`, `BrokerError` or the unforeseen.

    The engine is loaded and warm before the service joins its group, so that no partition waits
    for it.
    """
    topics, group = settings.topics, f"{settings.kafka.group}-judge"
    flow = settings.judge.flow
    stream = Stream(settings.kafka, group, topics.judge, [topics.labels], topics.dead, flow, resume)
    metrics = Metrics(tasks=settings.tasks)
    tracing = Tracing("streamer-judge", settings.tracing.sample, group=group)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, tracing.shutdown)
        status = Status("the judge's engine")
        await stack.enter_async_context(status.served(settings.judge.listen, metrics))
        judge = ClassifierJudge.load(
            settings.path(settings.judge.models),
            {name: task.label_set for name, task in settings.tasks.items()},
            stalled_after=settings.judge.stalled_after,
        )
        stack.push_async_callback(judge.stop)
        await judge.start()
        handler = JudgeHandler(
            judge,
            topics.labels,
            stream.dead_letters(),
            Memory(settings.judge.remember),
            tracing,
            metrics,
        )
        await _first(stream.run(handler, metrics, status, stop), _watch(judge))


async def _watch(judge: Judge) -> None:
    """Notice a dead engine also while no request comes in; raises `EngineDead`."""
    while True:
        await asyncio.sleep(HEALTH_EVERY)
        await judge.healthy()


async def _first(*work: Coroutine[Any, Any, None]) -> None:
    """The end of whichever ends first; the others are cancelled."""
    tasks = [asyncio.create_task(item) for item in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
