"""Puts records on a topic and waits for what becomes of them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer

from streamer.dev.demo.accounts import Accounts
from streamer.dev.demo.scenario import Played

Tick = Callable[[], None]

_LOOK_EVERY_S = 0.05


async def play(
    producer: AIOKafkaProducer,
    topic: str,
    played: Sequence[Played],
    accounts: Accounts,
    rate: float | None,
) -> None:
    """Send at `rate` records per second by the clock, or all at once; each enters the accounts."""
    began = time.monotonic()
    waiting = []
    for number, item in enumerate(played):
        if rate is not None:
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        now_ms = int(time.time() * 1000)
        sent = await producer.send(topic, item.value, key=item.key, timestamp_ms=now_ms)
        sent.add_done_callback(partial(_note, accounts, item, now_ms))
        waiting.append(sent)
    await asyncio.gather(*waiting)


async def until_settled(accounts: Accounts, patience_s: float, tick: Tick | None = None) -> None:
    """Return when nothing is owed, or nothing new has come for `patience_s` seconds."""
    left, since = accounts.open, time.monotonic()
    while accounts.open and time.monotonic() - since < patience_s:
        await asyncio.sleep(_LOOK_EVERY_S)
        if accounts.open != left:
            left, since = accounts.open, time.monotonic()
        if tick is not None:
            tick()


def _note(accounts: Accounts, item: Played, at_ms: int, sent: "asyncio.Future[Any]") -> None:
    if not sent.cancelled() and sent.exception() is None:
        where = sent.result()
        accounts.sent((where.partition, where.offset), item, at_ms)
