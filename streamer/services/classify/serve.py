"""The classify service: tickets in, agreed labels and judge requests out."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import astuple

from streamer.config.settings import Settings
from streamer.decide.sampling import Sampling
from streamer.observe.metrics import Metrics
from streamer.observe.summaries import Summaries
from streamer.observe.tracing import Tracing
from streamer.services.classify.answers.answers import answers_stream
from streamer.services.classify.assembly import ready_tasks
from streamer.services.classify.classify_handler import ClassifyHandler
from streamer.services.classify.observing import Observing
from streamer.services.classify.publish.outputs import Outputs
from streamer.services.intake.ticket_reader import TicketReader
from streamer.services.runtime.concurrency import together
from streamer.services.runtime.copies import ticket_copies
from streamer.services.runtime.stats import Stats
from streamer.services.runtime.stream_service import Status, Stream
from streamer.stream.offset_reset import Start


async def serve(settings: Settings, stop: asyncio.Event, resume: Start | None = None) -> None:
    """Run until `stop` is set. Raises `ConfigError`, `BrokerError` or whatever was unforeseen."""
    topics, group = settings.topics, f"{settings.kafka.group}-classify"
    outputs = Outputs(topics.labels, topics.judge, topics.audit, topics.review, topics.log)
    metrics = Metrics(tasks=settings.tasks, workers=_models(settings))
    stream = Stream(
        settings.kafka,
        group,
        topics.tickets,
        astuple(outputs),
        topics.dead,
        settings.classify.flow,
        resume,
        Stats(topics.stats, Summaries("classify", metrics)),
        copies=ticket_copies(len(settings.tasks)),
    )
    tracing = Tracing("streamer-classify", settings.tracing.sample, group=group)
    metrics.watch_spans(tracing)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, tracing.shutdown)
        status = Status("Triton")
        await stack.enter_async_context(status.served(settings.classify.listen, metrics))
        observing = Observing(metrics, tracing)
        tasks = await ready_tasks(settings, stack, observing, stop)
        if tasks is None:
            return
        handler = ClassifyHandler(
            source=settings.source,
            ticket_reader=TicketReader.of(settings.input),
            tasks=tasks,
            outputs=outputs,
            dead_letters=stream.dead_letters(metrics),
            tracing=tracing,
            observing=observing,
            sampling=_sampling(settings),
            part=status.part,
            dead_at_most=settings.input.dead_at_most,
        )
        answers = answers_stream(settings, metrics, tracing, stop)
        await together(stream.run(handler, metrics, status, stop), answers)


def _sampling(settings: Settings) -> Sampling:
    audit = settings.audit
    return Sampling(audit.salt, audit.share, settings.log.share, settings.review.gold)


def _models(settings: Settings) -> list[str]:
    return [worker.model for task in settings.tasks.values() for worker in task.workers]
