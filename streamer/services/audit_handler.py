"""Audits wait until the judge has room beside its other work, and not for ever."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from streamer.stream.emission import Barrier, Emission, Settled
from streamer.stream.handler import Handler
from streamer.stream.record import Record

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
