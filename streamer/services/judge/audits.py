"""The judge's second topic: audits, read in a group of their own."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from streamer.config.process import Flow
from streamer.config.settings import Settings
from streamer.errors import BrokerError
from streamer.observe.metrics import Metrics
from streamer.services.judge.judge_handler import JudgeHandler
from streamer.services.runtime.stream_service import Journaled, Status, Stream
from streamer.stream.handler import Barrier, Emission, Handler, Record, Settled
from streamer.stream.isolation.in_flight_journal import InFlightJournal
from streamer.stream.isolation.poison_isolation import PoisonIsolation
from streamer.stream.isolation.shared_exclusive_lock import SharedExclusiveLock

LOOK_EVERY = 0.05

Group = Sequence[Emission | Settled]


class AuditHandler:
    """Gives batches to another handler only while there is `room`.

    An audit that is older than `patience` seconds, by its record's time, is given up: `give_up`
    says what is published then. The engine around it goes on polling meanwhile. Batches are small,
    because a request for a label that comes next has to wait for one of them.
    """

    def __init__(
        self,
        handler: Handler,
        give_up: Callable[[Sequence[Record]], Group],
        room: Callable[[], bool],
        patience: float,
    ) -> None:
        self._handler = handler
        self._give_up = give_up
        self._room = room
        self._patience = patience

    async def handle(self, batch: Sequence[Record]) -> AsyncGenerator[Group | Barrier, None]:
        """Yields what is given up as soon as it is too old, and the rest once there is room."""
        waiting = batch
        while waiting:
            late = [record for record in waiting if self._late(record)]
            if late:
                yield self._give_up(late)
                waiting = [record for record in waiting if record not in late]
            elif self._room():
                async with aclosing(self._handler.handle(waiting)) as groups:
                    async for group in groups:
                        yield group
                return
            else:
                await asyncio.sleep(LOOK_EVERY)

    def _late(self, record: Record) -> bool:
        # Kafka's -1 says that no time is known.
        return 0 <= record.timestamp < 1000 * (time.time() - self._patience)


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
        shared_lock: SharedExclusiveLock,
        room: Callable[[], bool],
        metrics: Metrics,
        stop: asyncio.Event,
    ) -> None:
        """Judge audits while the main topic leaves `room`.

        The probes stay those of the main topic. Raises as the stream does, but not what Kafka
        refuses after `stop`: audits come again, and the end of this lane must not cut short what
        the main topic has in flight.
        """

        def audits(journal: InFlightJournal) -> AuditHandler:
            trials = PoisonIsolation(handler, journal, shared_lock, handler.set_aside)
            return AuditHandler(trials, handler.give_up, room, self.patience)

        try:
            await self.stream.run(Journaled(audits), metrics, Status("audits"), stop)
        except BrokerError as error:
            if not stop.is_set():
                raise
            log.warning("the end of the audits: %s", error)
