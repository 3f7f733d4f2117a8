"""What the table takes: changes a second, memory, the way back, and how late it is."""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from bench.labels import everything, steady_rate, wait_for, written
from bench.process import cpu_s, peak_mb
from bench.result import Result, load, spread
from bench.stand import running
from streamer.dev.child import Child
from streamer.dev.kafka import Kafka
from streamer.stream.topics import TopicSpec, create_topics

PARTITIONS = 6
RATE = 1000
WITHIN_S = 900.0
WANTED_RATE, WANTED_MB, WANTED_BACK_S, WANTED_LATE_MS = 10_000, 350, 60, 250

_CONFIG = """\
kafka: {{bootstrap: "{bootstrap}", group: {group}, start: earliest}}
topics: {{{topics}, current: {group}.current}}
table: {{listen: {{port: 0}}}}
tasks:
  intent: {{labels: [billing, other], workers: [intent_word, intent_char, intent_net]}}
"""
_TOPICS = ("tickets", "labels", "judge", "dead", "audit", "review", "answers", "log", "stats")


@dataclass(frozen=True, slots=True)
class _Stand:
    folder: Path
    bootstrap: str
    numbers: Iterator[int]

    def table(self) -> "_Table":
        """A table with topics of its own, stamped by the broker."""
        group = f"table-{next(self.numbers)}"
        names = [f"{group}.{name}" for name in (*_TOPICS, "current")]
        stamped = {"message.timestamp.type": "LogAppendTime"}
        asyncio.run(
            create_topics(self.bootstrap, [TopicSpec(name, PARTITIONS, stamped) for name in names])
        )
        topics = ", ".join(f"{name}: {group}.{name}" for name in _TOPICS)
        config = self.folder / f"{group}.yaml"
        config.write_text(_CONFIG.format(bootstrap=self.bootstrap, group=group, topics=topics))
        return _Table(self, group, config)

    def child(self, name: str, *argv: str) -> Child:
        child = Child([sys.executable, "-m", *argv], self.folder / f"{name}.log")
        child.start()
        return child

    def feed(self, topic: str, *options: str) -> None:
        """Write labels from a process of its own, and wait for it."""
        feeder = self.child("feeder", "bench.label_records", self.bootstrap, topic, *options)
        feeder.wait(WITHIN_S)
        if feeder.returncode:
            raise RuntimeError(f"the feeder failed:\n{feeder.log_tail()}")


@dataclass(frozen=True, slots=True)
class _Table:
    here: _Stand
    group: str
    config: Path

    def topic(self, name: str) -> str:
        return f"{self.group}.{name}"

    def start(self) -> Child:
        return self.here.child(self.group, "streamer.cli", "table", "--config", str(self.config))

    def wait_for(self, changes: int) -> None:
        asyncio.run(wait_for(self.here.bootstrap, self.topic("current"), changes, WITHIN_S))


def run(options: argparse.Namespace) -> list[Result]:
    """Rate beside a loop that only copies, memory and return of many keys, and latency."""
    with _stand() as here:
        return [*_rates(here, options), *_keys(here, options), _late(here, options)]


def _rates(here: _Stand, options: argparse.Namespace) -> list[Result]:
    ours, floor, cost, loads = [], [], [], []
    for _ in range(options.pairs):
        table = here.table()
        here.feed(table.topic("labels"), str(options.tickets))
        with running(table.start()) as child:
            table.wait_for(options.tickets)
            cost.append(cpu_s(child.pid) / options.tickets * 1e6)
        ours.append(_rate(here, table.topic("current")))
        where = (here.bootstrap, table.topic("labels"), table.topic("judge"))
        with running(here.child("copying", "bench.copying", *where)):
            asyncio.run(wait_for(here.bootstrap, where[2], options.tickets, WITHIN_S))
        floor.append(_rate(here, where[2]))
        loads.append(load())
    value, reference = statistics.median(ours), statistics.median(floor)
    details = {"table": spread(ours), "copying": spread(floor), "CPU us": spread(cost)}
    return [
        Result(
            "table-rate",
            value,
            "changes/s",
            reference,
            value / reference,
            f">= {WANTED_RATE:,} on one core",
            {**details, "load": loads},
        )
    ]


def _rate(here: _Stand, topic: str) -> float:
    return steady_rate(asyncio.run(written(here.bootstrap, topic)))


def _keys(here: _Stand, options: argparse.Namespace) -> list[Result]:
    table, keys = here.table(), options.backlog
    here.feed(table.topic("labels"), str(keys))
    with running(table.start()) as child:
        table.wait_for(keys)
        first = peak_mb(child.pid)
    began = time.monotonic()
    with running(table.start()) as child:
        # Something new in every partition: the table comes back before it handles any of it.
        here.feed(table.topic("labels"), "200", "--first", str(keys))
        table.wait_for(keys + 200)
        back, memory = time.monotonic() - began, peak_mb(child.pid)
    details = {"keys": keys, "peak while it was filled": first, "load": load()}
    return [
        Result("table-memory", memory, "MB", wanted=f"<= {WANTED_MB}", details=details),
        Result("table-back", back, "s", wanted=f"<= {WANTED_BACK_S}", details=details),
    ]


def _late(here: _Stand, options: argparse.Namespace) -> Result:
    table, labels = here.table(), int(RATE * options.seconds)
    with running(table.start()):
        here.feed(table.topic("labels"), str(RATE), "--rate", str(RATE))
        table.wait_for(RATE)
        here.feed(table.topic("labels"), str(labels), "--rate", str(RATE), "--first", str(RATE))
        table.wait_for(RATE + labels)
    took = asyncio.run(_took(here.bootstrap, table))[RATE:]
    p50, p99 = np.percentile(took, [50, 99])
    wanted = f"p99 <= {WANTED_LATE_MS} at {RATE}/s"
    details = {"p50": float(p50), "load": load()}
    return Result("table-late", float(p99), "ms", wanted=wanted, details=details)


async def _took(bootstrap: str, table: _Table) -> NDArray[np.int64]:
    """Milliseconds from each label to its state, by the broker's clock, in the order of tickets."""
    sent = {one.key: one.timestamp async for one in everything(bootstrap, table.topic("labels"))}
    done = {one.key: one.timestamp async for one in everything(bootstrap, table.topic("current"))}
    return np.array([done[key] - sent[key] for key in sorted(sent)], np.int64)


@contextmanager
def _stand() -> Iterator[_Stand]:
    with TemporaryDirectory(prefix="bench-") as name, Kafka(Path(name) / "kafka") as kafka:
        yield _Stand(Path(name), kafka.bootstrap, count())
