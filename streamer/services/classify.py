"""The classify service: tickets in, agreed labels and judge requests out."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import astuple

from streamer.config.settings import Input, Settings
from streamer.config.tasks import Task as TaskSettings
from streamer.decide.budget import JudgeBudget, RateCap, ShareCap
from streamer.errors import ConfigError
from streamer.observe.metrics import Metrics
from streamer.observe.summaries import Summaries
from streamer.observe.tracing import Tracing
from streamer.records.calibration import Calibration
from streamer.services.answers import answers_stream
from streamer.services.classify_handler import ClassifyHandler
from streamer.services.intake import Intake, load_decoder
from streamer.services.plan import Planner
from streamer.services.rules import load_calibration, rule_before
from streamer.services.settling import Outputs
from streamer.services.stats import Stats
from streamer.services.stratum import Stratum
from streamer.services.streaming import Status, Stream
from streamer.services.task import Condition, Task
from streamer.services.together import together
from streamer.services.voting import Voting
from streamer.stream.positions import Start
from streamer.workers.triton import Tls, TritonClient
from streamer.workers.worker import Worker


async def serve(settings: Settings, stop: asyncio.Event, resume: Start | None = None) -> None:
    """Run until `stop` is set. Raises `ConfigError`, `BrokerError` or whatever was unforeseen."""
    topics, group = settings.topics, f"{settings.kafka.group}-classify"
    outputs = Outputs(topics.labels, topics.judge, topics.audit, topics.review, topics.log)
    calibrations = _calibrations(settings)
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
    )
    tracing = Tracing("streamer-classify", settings.tracing.sample, group=group)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, tracing.shutdown)
        status = Status("Triton")
        await stack.enter_async_context(status.served(settings.classify.listen, metrics))
        workers = await _workers(settings, stack, metrics, stop)
        if workers is None:
            return
        _check_versions(calibrations, workers)
        handler = ClassifyHandler(
            settings.source,
            _intake(settings.input),
            [
                _task(name, task, calibrations.get(name), workers, metrics)
                for name, task in settings.tasks.items()
            ],
            outputs,
            stream.dead_letters(),
            tracing,
            metrics,
            _stratum(settings),
            status.part,
        )
        answers = answers_stream(settings, metrics, tracing, stop)
        await together(stream.run(handler, metrics, status, stop), answers)


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


def _check_versions(calibrations: Mapping[str, Calibration], workers: Mapping[str, Worker]) -> None:
    """Raises `ConfigError` where other models answer than those that were calibrated."""
    for name, calibration in calibrations.items():
        for model, known in calibration.models.items():
            met = workers[model].versions
            if known.version is not None and known.version not in met:
                raise ConfigError(
                    f"tasks.{name}.calibration is of version {known.version} of {model}, and "
                    f"{', '.join(sorted(met))} answers: run `streamer calibrate` again, or leave "
                    "the key out"
                )


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


def _calibrations(settings: Settings) -> dict[str, Calibration]:
    return {
        name: load_calibration(name, task, settings.path(task.calibration))
        for name, task in settings.tasks.items()
        if task.calibration is not None
    }


def _task(
    name: str,
    task: TaskSettings,
    calibration: Calibration | None,
    workers: dict[str, Worker],
    metrics: Metrics,
) -> Task:
    mine = [workers[worker.model] for worker in task.workers]
    condition = None
    if task.when is not None:
        condition = Condition(task.when.values, task.when.field, task.when.task)
    models = calibration.models if calibration is not None else {}
    temperatures = {model: found.temperature for model, found in models.items()}
    rule = rule_before(task, calibration)
    return Task(
        name,
        task.label_set,
        Voting(mine, rule, task.on_outage, metrics, temperatures),
        condition,
        Planner(task.mode, task.on_outage, _budget(task)),
        calibration,
        needs_ensemble=(task.after.kind, task.after.alpha) != ("v3", 0),
        verify=task.verify if task.mode == "optimistic" else 0,
    )


def _budget(task: TaskSettings) -> JudgeBudget | None:
    cap = task.budget
    if cap is None:
        return None
    if cap.share is not None:
        return JudgeBudget(ShareCap(cap.share), time.monotonic())
    assert cap.per_second is not None  # one of the two, or it is refused with the configuration
    return JudgeBudget(RateCap(cap.per_second), time.monotonic())


def _stratum(settings: Settings) -> Stratum:
    audit = settings.audit
    return Stratum(audit.salt, audit.share, settings.log.share, settings.review.gold)


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
