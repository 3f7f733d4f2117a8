"""The judge's two lanes: requests first, and audits while there is time."""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial

from streamer.config.settings import Settings
from streamer.decide.sampling import drawn
from streamer.errors import ConfigError
from streamer.judging.judge import Judge
from streamer.judging.surroundings import Surroundings
from streamer.observe.metrics import Metrics
from streamer.observe.summaries import Summaries
from streamer.observe.tracing import Tracing
from streamer.services.judge.audits import AuditLane
from streamer.services.judge.judge_handler import JudgeHandler
from streamer.services.judge.judge_task import JudgeTask, judge_tasks
from streamer.services.judge.observing import Observing
from streamer.services.judge.publishing import JudgeOutputs, JudgePublisher
from streamer.services.judge.recent_results import RecentResults
from streamer.services.runtime.concurrency import first, together
from streamer.services.runtime.stats import Stats
from streamer.services.runtime.stream_service import Journaled, Status, Stream
from streamer.stream.isolation.poison_isolation import PoisonIsolation
from streamer.stream.isolation.shared_exclusive_lock import SharedExclusiveLock
from streamer.stream.offset_reset import Start

log = logging.getLogger(__name__)

HEALTH_EVERY = 2.0

Load = Callable[[Settings, Surroundings], Awaitable[Judge]]


async def run_lanes(
    load: Load,
    settings: Settings,
    stop: asyncio.Event,
    resume: Start | None = None,
) -> None:
    """Run the judge that `load` makes until `stop` is set.

    It is loaded and warm before the service joins its group, so that no partition waits for it.
    Raises `ConfigError`, `EngineDead`, `BrokerError` or the unforeseen, of whichever lane.
    """
    topics, group = settings.topics, f"{settings.kafka.group}-judge"
    outputs = [topics.labels, topics.review, topics.log]
    metrics = Metrics(tasks=settings.tasks)
    stream = Stream(
        settings.kafka,
        group,
        topics.judge,
        outputs,
        topics.dead,
        settings.judge.flow,
        resume,
        Stats(topics.stats, Summaries("judge", metrics)),
    )
    tracing = Tracing("streamer-judge", settings.tracing.sample, group=group)
    metrics.watch_spans(tracing)
    publisher = _publisher(settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, tracing.shutdown)
        status = Status("the judge's engine")
        await stack.enter_async_context(status.served(settings.judge.listen, metrics))
        judge = await load(settings, _surroundings(status, metrics))
        stack.push_async_callback(judge.stop)
        _check_versions(publisher.tasks, judge)
        await judge.start()
        # What the engine's library brought stays: the collector would look at all of it again.
        gc.freeze()
        handler = JudgeHandler(
            judge=judge,
            publisher=publisher,
            dead_letters=stream.dead_letters(metrics),
            recent=RecentResults(settings.judge.remember),
            tracing=tracing,
            observing=Observing(metrics, tracing),
        )
        shared_lock = SharedExclusiveLock()
        requests = Journaled(
            lambda journal: PoisonIsolation(handler, journal, shared_lock, handler.set_aside)
        )
        lanes = [stream.run(requests, metrics, status, stop)]
        if settings.audit.share > 0:
            audits = AuditLane.of(settings, group, outputs)

            def room() -> bool:
                return status.spare() and not judge.full

            lanes.append(audits.run(handler, shared_lock, room, metrics, stop))
        await first(together(*lanes), _watch(judge))


def _surroundings(status: Status, metrics: Metrics) -> Surroundings:
    def tell(line: str) -> None:
        log.info("%s", line)
        status.tell(line)

    return Surroundings(
        part=status.part,
        tell=tell,
        asked=metrics.judge_asked,
        charged=metrics.judge_charged,
        capped=metrics.judge_capped,
        watch=metrics.watch_model,
    )


def _publisher(settings: Settings) -> JudgePublisher:
    topics = settings.topics
    outputs = JudgeOutputs(labels=topics.labels, review=topics.review, log=topics.log)
    logged = partial(drawn, salt=settings.audit.salt, purpose="log", share=settings.log.share)
    return JudgePublisher(outputs, judge_tasks(settings), logged)


def _check_versions(tasks: Mapping[str, JudgeTask], judge: Judge) -> None:
    """Raises `ConfigError` where another judge is loaded than the one that was calibrated.

    A temperature holds for the model that it was fitted to, and so does all that was promised.
    """
    for name, task in tasks.items():
        calibration = task.calibration
        if calibration is None or calibration.judge.version is None:
            continue
        loaded = judge.version(name, calibration.label_set)
        if loaded != calibration.judge.version:
            raise ConfigError(
                f"tasks.{name}.calibration is of version {calibration.judge.version} of the "
                f"judge, and {loaded} is loaded: run `streamer calibrate` again, or leave the "
                "key out"
            )


async def _watch(judge: Judge) -> None:
    """Notice a dead engine also while no request comes in; raises `EngineDead`."""
    while True:
        await asyncio.sleep(HEALTH_EVERY)
        await judge.healthy()
