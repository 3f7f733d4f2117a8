"""Killing a service again and again while it works, until enough kills hit work in flight."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer

from tests.accounting import Account
from tests.stage import Service, Stage

STRIKE_WITHIN = 10.0


class Storm:
    """SIGKILLs one service at random moments of its work and starts it again at once.

    What was published is followed meanwhile, so that hits are known while the storm goes on.
    """

    def __init__(self, stage: Stage, service: Service, *, seed: int) -> None:
        self.kills: list[int] = []
        self.longest_return = 0.0
        self._stage = stage
        self._service = service
        self._random = random.Random(seed)
        self._live = Account(stage.topics)
        self._published = asyncio.Event()

    @property
    def hits(self) -> int:
        """How many of the kills so far provably hit work in flight."""
        return sum(hit > 0 for hit in self._live.hits(self.kills))

    async def rage(self, enough: Callable[[], bool], every: tuple[float, float]) -> None:
        """Kill until `enough`, each time between `every` seconds after it is back at work."""
        watching = asyncio.create_task(self._watch())
        try:
            while await self._at_work(enough):
                await asyncio.sleep(self._random.uniform(*every))
                self.kills.append(await self._strike())
                self._service.start()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _at_work(self, enough: Callable[[], bool]) -> bool:
        """Whether the service has decided something since it was started; False at the end."""
        began = time.monotonic()
        while not await asyncio.to_thread(self._decided):
            assert time.monotonic() - began < 400, self._service.log
            if enough():
                return False
            await asyncio.sleep(0.05)
        self.longest_return = max(self.longest_return, time.monotonic() - began)
        return not enough()

    async def _strike(self) -> int:
        """Kill right after something was published: that is hardly committed yet."""
        self._published.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._published.wait(), STRIKE_WITHIN)
        return await asyncio.to_thread(self._service.kill)

    def _decided(self) -> bool:
        try:
            return self._service.ready() and self._service.metric("streamer_labels_total") > 0
        except OSError:
            return False

    async def _watch(self) -> None:
        topics = self._stage.topics
        consumer = AIOKafkaConsumer(
            topics.labels,
            topics.judge,
            topics.dead,
            bootstrap_servers=self._stage.bootstrap,
            auto_offset_reset="earliest",
        )
        async with consumer:
            while True:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        self._live.add(record)
                    self._published.set()
                    await asyncio.sleep(0)


async def come_and_go(make: Callable[[], Service], seed: int) -> None:
    """Services that join, work a while and leave by SIGTERM, one by one, until cancelled."""
    source = random.Random(seed)
    while True:
        service = make()
        try:
            await service.started()
            await asyncio.sleep(source.uniform(4, 8))
            assert await service.stopped() == 0, service.log
            await asyncio.sleep(source.uniform(4, 8))
        finally:
            service.child.stop(grace_s=0)


def report(account: Account, tasks: Sequence[str], kills: Sequence[int]) -> list[int]:
    """Print what the storm did; returns what each kill hit."""
    hits = account.hits(kills)
    print(
        f"{len(account.inputs)} inputs: {dict(account.totals(tasks))}\n"
        f"{len(kills)} kills, {sum(hit > 0 for hit in hits)} hit work in flight: {hits}\n"
        f"{account.repeats} repeats, {len(account.differing)} differing repeats"
    )
    return hits
