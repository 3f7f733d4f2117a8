"""Audits wait until the judge has nothing else to do, and not for ever."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence

from streamer.services.judge_handler import JudgeHandler
from streamer.stream.emission import Emission, Settled
from streamer.stream.record import Record

LOOK_EVERY = 0.05


class AuditHandler:
    """Gives batches to the judge's handler only while there is `room`.

    An audit that is older than `patience` seconds, by its record's time, is given up. The engine
    around it goes on polling meanwhile. Batches are small, because a request for a label that
    comes next has to wait for one of them.
    """

    def __init__(self, handler: JudgeHandler, room: Callable[[], bool], patience: float) -> None:
        self._handler = handler
        self._room = room
        self._patience = patience

    async def handle(
        self, batch: Sequence[Record]
    ) -> AsyncGenerator[Sequence[Emission | Settled], None]:
        """Yields what is given up as soon as it is too old, and the rest once there is room."""
        waiting = batch
        while waiting:
            late = [record for record in waiting if self._late(record)]
            if late:
                yield self._handler.give_up(late)
                waiting = [record for record in waiting if record not in late]
            elif self._room():
                async for group in self._handler.handle(waiting):
                    yield group
                return
            else:
                await asyncio.sleep(LOOK_EVERY)

    def _late(self, record: Record) -> bool:
        return time.time() - record.timestamp / 1000 > self._patience
