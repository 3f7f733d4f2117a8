"""Nothing that was counted is missing from the summaries, whenever a process stops."""

import asyncio

import pytest

from streamer.observe.metrics import Metrics
from streamer.observe.summaries import Summaries
from streamer.records.summary import Summary
from streamer.services.runtime import stats
from streamer.services.runtime.stats import Stats


class Slow:
    """A producer that takes nothing until it is told to."""

    def __init__(self) -> None:
        self.asked, self.goes_on = asyncio.Event(), asyncio.Event()
        self.taken: list[Summary] = []

    async def send(self, topic: str, value: bytes, key: bytes) -> None:
        self.asked.set()
        await self.goes_on.wait()
        self.taken.append(Summary.from_json(value))


async def test_a_stop_while_it_sends_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "EVERY", 0.01)
    metrics, producer = Metrics(["intent"]), Slow()
    metrics.decisions("intent", 3, 5)
    told = Stats("stats", Summaries("classify", metrics))
    async with told.published(producer):
        await producer.asked.wait()
        metrics.decisions("intent", 1, 1)
        asyncio.get_running_loop().call_soon(producer.goes_on.set)
    mine = [summary for summary in producer.taken if summary.task == "intent"]
    assert [summary.sequence for summary in mine] == [1, 2]
    decisions = [summary.counts["decisions"] for summary in mine]
    assert decisions == [{"accepted": 3, "deferred": 2}, {"accepted": 1}]
