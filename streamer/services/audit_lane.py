"""The judge's second topic: audits, read in a group of their own."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from streamer.config.settings import Flow, Settings
from streamer.errors import BrokerError
from streamer.observe.metrics import Metrics
from streamer.services.audit_handler import AuditHandler
from streamer.services.judge_handler import JudgeHandler
from streamer.services.streaming import Journaled, Status, Stream
from streamer.stream.journal import Journal
from streamer.stream.trials import Trials
from streamer.stream.turnstile import Turnstile

log = logging.getLogger(__name__)

# A batch that waits for room would hold up a rebalance or the end of the process for so long.
DRAIN = 2.0
FLOW = Flow(max_batch=16, in_flight=1, max_buffered=256, max_bytes=64 * 2**20)


@dataclass(frozen=True, slots=True)
class AuditLane:
    """Where audits come from, and how long they may wait."""

    stream: Stream
    patience: float

    @classmethod
    def of(cls, settings: Settings, group: str, outputs: list[str]) -> "AuditLane":
        """The lane of a judge service in `group`, which writes to `outputs`.

        It begins, and goes on after a loss, with the oldest audit there is: those too old are given
        up anyway, and a lost audit must not stop the service.
        """
        kafka = settings.kafka.model_copy(update={"start": "earliest", "drain": DRAIN})
        topics = settings.topics
        stream = Stream(
            kafka,
            f"{group}-audit",
            topics.audit,
            outputs,
            topics.dead,
            FLOW,
            resume="earliest",
            lane="audits",
        )
        return cls(stream, settings.audit.patience)

    async def run(
        self,
        handler: JudgeHandler,
        turnstile: Turnstile,
        room: Callable[[], bool],
        metrics: Metrics,
        stop: asyncio.Event,
    ) -> None:
        """Judge audits while the main topic leaves `room`.

        The probes stay those of the main topic. Raises as the stream does, but not what Kafka
        refuses after `stop`: audits come again, and the end of this lane must not cut short what
        the main topic has in flight.
        """

        def audits(journal: Journal) -> AuditHandler:
            trials = Trials(handler, journal, turnstile, handler.set_aside)
            return AuditHandler(trials, handler.give_up, room, self.patience)

        try:
            await self.stream.run(Journaled(audits), metrics, Status("audits"), stop)
        except BrokerError as error:
            if not stop.is_set():
                raise
            log.warning("the end of the audits: %s", error)
