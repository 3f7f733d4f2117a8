"""The classify service: tickets in, agreed labels and judge requests out."""

import asyncio
from contextlib import AsyncExitStack

from streamer.config.settings import Input, Settings
from streamer.config.tasks import Task as TaskSettings
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.services.classify_handler import ClassifyHandler
from streamer.services.intake import Intake, load_decoder
from streamer.services.rules import rule_before
from streamer.services.streaming import Status, Stream
from streamer.services.task import Condition, Task
from streamer.services.voting import Voting
from streamer.stream.positions import Start
from streamer.workers.triton import Tls, TritonClient
from streamer.workers.worker import Worker


async def serve(settings: Settings, stop: asyncio.Event, resume: Start | None = None) -> None:
    """Run until `stop` is set. Raises `ConfigError`, `BrokerError` or whatever was unforeseen."""
    topics, group = settings.topics, f"{settings.kafka.group}-classify"
    outputs = [topics.labels, topics.judge]
    stream = Stream(
        settings.kafka, group, topics.tickets, outputs, topics.dead, settings.classify.flow, resume
    )
    metrics = Metrics(tasks=settings.tasks, workers=_models(settings))
    tracing = Tracing("streamer-classify", settings.tracing.sample, group=group)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, tracing.shutdown)
        status = Status("Triton")
        await stack.enter_async_context(status.served(settings.classify.listen, metrics))
        workers = await _workers(settings, stack, metrics, stop)
        if workers is None:
            return
        handler = ClassifyHandler(
            settings.source,
            _intake(settings.input),
            [_task(name, task, workers, metrics) for name, task in settings.tasks.items()],
            topics.labels,
            topics.judge,
            stream.dead_letters(),
            tracing,
            metrics,
        )
        await stream.run(handler, metrics, status, stop)


async def _workers(
    settings: Settings, stack: AsyncExitStack, metrics: Metrics, stop: asyncio.Event
) -> dict[str, Worker] | None:
    """Workers that have shaken hands, by model; None where told to stop before."""
    triton = settings.triton
    tls = None if triton.ca_file is None else Tls(settings.path(triton.ca_file))
    client = TritonClient(triton.url, tls=tls)
    stack.push_async_callback(client.close)
    workers: dict[str, Worker] = {}
    for task in settings.tasks.values():
        for model in (worker.model for worker in task.workers):
            workers[model] = Worker(
                client,
                model,
                task.labels,
                deadline_s=triton.deadline,
                abstain_after_s=triton.abstain_after,
                max_in_flight=triton.max_in_flight,
                on_event=metrics.on_worker(model),
            )
            stack.push_async_callback(workers[model].close)
    greeting = asyncio.gather(*(worker.start() for worker in workers.values()))
    return workers if await _unless(stop, greeting) else None


async def _unless(stop: asyncio.Event, work: "asyncio.Future[list[str]]") -> bool:
    """Whether the work was done before `stop`; raises what it raises."""
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((stopped, work), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if work.done():
        work.result()
        return True
    work.cancel()
    return False


def _task(name: str, task: TaskSettings, workers: dict[str, Worker], metrics: Metrics) -> Task:
    mine = [workers[worker.model] for worker in task.workers]
    condition = None
    if task.when is not None:
        condition = Condition(task.when.values, task.when.field, task.when.task)
    return Task(
        name,
        task.label_set,
        Voting(mine, rule_before(task, None), task.on_outage, metrics),
        condition,
    )


def _intake(settings: Input) -> Intake:
    return Intake(
        id=settings.id,
        text=settings.text,
        subject=settings.subject,
        created_at=settings.created_at,
        max_bytes=settings.max_bytes,
        decoder=load_decoder(settings.decoder) if settings.decoder else None,
    )


def _models(settings: Settings) -> list[str]:
    return [worker.model for task in settings.tasks.values() for worker in task.workers]
