"""A real `streamer monitor` on topics of its own, and what it answers."""

import asyncio
import os
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streamer.config.kafka import Topics
from streamer.dev.kafka import Kafka
from streamer.records.alarm import Alarm
from streamer.records.summary import Summary
from streamer.stream.topics import TopicSpec, create_topics
from tests.conftest import unique_topic
from tests.monitoring.planted import LABELS
from tests.stage import Service
from tests.waiting import eventually

WEEK_S = 604_800


def now_ms() -> int:
    return int(time.time() * 1000)


class Monitor:
    """Start it by `start`; `kill` is SIGKILL."""

    def __init__(
        self, kafka: Kafka, folder: Path, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.kafka = kafka
        self._asked = count()
        group = unique_topic("monitor")
        self.topics = Topics(**{name: f"{group}.{name}" for name in Topics.model_fields})
        tasks = {
            task: {"labels": list(labels), "workers": [f"{task}_{name}" for name in "abc"]}
            for task, labels in LABELS.items()
        }
        config = {
            "kafka": {"bootstrap": kafka.bootstrap, "group": group, "start": "earliest"},
            "topics": self.topics.model_dump(),
            "tasks": tasks,
            "monitor": dict(settings or {}),
        }
        path = folder / "streamer.yaml"
        path.write_text(yaml.safe_dump(config))
        self.service = Service("monitor", ["--config", str(path)], folder / "monitor.log")
        names = [TopicSpec(name) for name in self.topics.names]
        asyncio.run(create_topics(kafka.bootstrap, names))

    def start(self) -> float:
        """Start it, wait until it serves, and return how many seconds that took."""
        began = time.monotonic()
        self.service.start()
        assert eventually(self.service.ready), self.service.log
        return time.monotonic() - began

    def kill(self) -> None:
        """End it as a machine that loses its power would."""
        pid = self.service.child.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self.service.child.wait(10)

    def stop(self) -> None:
        self.service.child.stop()

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.service.url}{path}", timeout=20) as answer:
            return orjson.loads(answer.read())

    def metric(self, name: str) -> float:
        """A metric's value; 0 where it isn't there."""
        with urllib.request.urlopen(f"{self.service.url}/metrics", timeout=20) as answer:
            lines = answer.read().decode().splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)

    def tell(self, records: Iterable[Summary | bytes]) -> None:
        """Publish summaries, or bytes that are none."""
        asyncio.run(self._tell(list(records)))

    def alarms(self) -> list[Alarm]:
        """All records of the alerts topic."""
        return asyncio.run(self._alarms())

    def totals(self) -> Counter[tuple[str, ...]]:
        """The sums of all windows kept long, in the form of `recount`, without single buckets."""
        # Another span each time: what was asked before is answered from memory.
        state = self.ask(f"/api/state?seconds={WEEK_S - next(self._asked)}")
        sums: Counter[tuple[str, ...]] = Counter()
        for reason, n in state["dead"].items():
            sums["", "dead", reason] = n
        for task, view in state["tasks"].items():
            sums.update(_sums(task, view))
        return +sums

    async def _tell(self, records: list[Summary | bytes]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka.bootstrap, linger_ms=5)
        await producer.start()
        try:
            for record in records:
                raw = isinstance(record, bytes)
                value, key = (record, None) if raw else (record.to_json(), record.key)
                await producer.send(self.topics.stats, value, key=key)
        finally:
            await producer.stop()

    async def _alarms(self) -> list[Alarm]:
        place = TopicPartition(self.topics.alerts, 0)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka.bootstrap)
        await consumer.start()
        try:
            consumer.assign([place])
            consumer.seek(place, 0)
            end = (await consumer.end_offsets([place]))[place]
            found: list[Alarm] = []
            while len(found) < end:
                batches = await consumer.getmany(place, timeout_ms=1000)
                found += [Alarm.from_json(r.value) for rs in batches.values() for r in rs]
            return found
        finally:
            await consumer.stop()


Make = Callable[..., Monitor]


def plain(counted: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    """A recount as `totals` can tell it."""
    sums: Counter[tuple[str, ...]] = Counter()
    for (task, family, name), n in counted.items():
        if family == "records":
            continue
        bucket = family.startswith(("ticket/", "service/"))
        sums[(task, family) if bucket else (task, family, name)] += n
    return +sums


def _sums(task: str, view: Mapping[str, Any]) -> Counter[tuple[str, ...]]:
    sums: Counter[tuple[str, ...]] = Counter()
    coverage = view["coverage"]
    sums[task, "decisions", "accepted"] = coverage["hits"]
    sums[task, "decisions", "deferred"] = coverage["of"] - coverage["hits"]
    for family, counts in (("labels", view["labels"]), ("published", view["distribution"])):
        for name, n in counts.items():
            sums[task, family, name] = n
    for pair, share in view["agreement"].items():
        sums[task, "agreements", f"{pair}/yes"] = share["hits"]
        sums[task, "agreements", f"{pair}/no"] = share["of"] - share["hits"]
    for clock, name in (("ticket", "latency"), ("service", "service_latency")):
        for source, found in view[name].items():
            sums[task, f"{clock}/{source}"] = found["of"]
    return sums
