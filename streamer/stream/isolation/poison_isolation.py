"""Finds the record that ends the process, and sets it aside."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from streamer.errors import OutsideFault
from streamer.stream.handler import Barrier, Emission, Handler, Record, Settled
from streamer.stream.isolation.in_flight_journal import InFlightJournal
from streamer.stream.isolation.shared_exclusive_lock import SharedExclusiveLock

log = logging.getLogger(__name__)

Group = Sequence[Emission | Settled] | Barrier

# One death alone may have come from outside in that very moment; two of them hardly do.
DEATHS = 2

# What ends a trial and is no death by the record: an end from outside, and a fault that lies there.
NOT_ITS_OWN = (asyncio.CancelledError, GeneratorExit, OutsideFault)


class PoisonIsolation:
    """Gives a handler what an unclean end left one by one, and everything else in batches.

    That a record is tried is noted before. One that was begun alone `DEATHS` times, and the process
    ended uncleanly each time, is not tried again: `set_aside` makes what is published instead.
    Handlers that work on the same engine share a `shared_lock`: nothing else runs beside a trial.
    """

    def __init__(
        self,
        handler: Handler,
        journal: InFlightJournal,
        shared_lock: SharedExclusiveLock,
        set_aside: Callable[[Record], Group],
    ) -> None:
        self._handler = handler
        self._journal = journal
        self._shared_lock = shared_lock
        self._set_aside = set_aside

    async def handle(self, batch: Sequence[Record]) -> AsyncGenerator[Group, None]:
        """Yields what the handler does."""
        await self._journal.read(batch)
        suspects = [record for record in batch if self._journal.suspects(record)]
        # Who was tried already comes first: what is deadly shows at once, and whom a kill from
        # outside hit is cleared before the next one can come.
        suspects.sort(key=self._journal.tries, reverse=True)
        others = [record for record in batch if not self._journal.suspects(record)]
        if suspects:
            async with self._shared_lock.alone(), aclosing(self._one_by_one(suspects)) as groups:
                async for group in groups:
                    yield group
        if others:
            async with self._shared_lock.together(), aclosing(self._at_once(others)) as groups:
                async for group in groups:
                    yield group

    async def _one_by_one(self, records: Sequence[Record]) -> AsyncGenerator[Group, None]:
        for record in records:
            if self._journal.tries(record) >= DEATHS:
                log.error("set aside: %s[%d]@%d", record.topic, record.partition, record.offset)
                yield self._set_aside(record)
                continue
            await self._journal.begin(record)
            try:
                async with aclosing(self._handler.handle([record])) as groups:
                    async for group in groups:
                        yield group
                await self._journal.finish(record)
            except NOT_ITS_OWN:
                await self._journal.spare(record)
                raise

    async def _at_once(self, records: Sequence[Record]) -> AsyncGenerator[Group, None]:
        await self._journal.open(records)
        async with aclosing(self._handler.handle(records)) as groups:
            async for group in groups:
                yield group
