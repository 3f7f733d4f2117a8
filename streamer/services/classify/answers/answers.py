"""The second stream of the classify process: people's answers."""

import asyncio
from functools import partial

from streamer.config.settings import Settings
from streamer.decide.sampling import drawn
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.services.classify.answers.answers_handler import AnswersHandler
from streamer.services.classify.observing import Observing
from streamer.services.runtime.stream_service import Status, Stream


async def answers_stream(
    settings: Settings,
    metrics: Metrics,
    tracing: Tracing,
    stop: asyncio.Event,
) -> None:
    """Make labels of answers until `stop` is set; raises what made it fail.

    It begins, and goes on after a loss, with the oldest answer there is: the last one wins anyhow.

    It counts in `metrics` as a lane of its own. The probes stay those of the tickets: answers come
    by the hand, and a stream of them that fails ends the process.
    """
    topics, flow = settings.topics, settings.classify.flow
    stream = Stream(
        kafka=settings.kafka.model_copy(update={"start": "earliest"}),
        group=f"{settings.kafka.group}-answers",
        topic=topics.answers,
        outputs=[topics.labels, topics.log],
        dead=topics.dead,
        flow=flow.model_copy(update={"max_bytes": flow.max_bytes // 8}),
        resume="earliest",
        lane="answers",
    )
    handler = AnswersHandler(
        source=settings.source,
        label_sets={name: task.label_set for name, task in settings.tasks.items()},
        gold=partial(drawn, salt=settings.audit.salt, purpose="gold", share=settings.review.gold),
        labels_topic=topics.labels,
        log_topic=topics.log,
        dead_letters=stream.dead_letters(metrics),
        tracing=tracing,
        observing=Observing(metrics, tracing),
        has_table=topics.current is not None,
    )
    await stream.run(handler, metrics, Status("answers"), stop)
