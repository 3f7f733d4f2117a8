"""What it costs to name the segments of a batch, beside the workers that are asked about it.

The three workers of the sample's topics are trained and served by Triton. Batches go through the
whole of classify's handler, without segments and with them in turns; all segments are served alike,
so that the router alone differs.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import orjson

from bench.process import tree_cpu_s
from bench.result import Result, load, spread
from streamer.backends.gate import Gate
from streamer.config import load as load_settings
from streamer.config.tasks import Task as TaskSettings
from streamer.decide.sampling import Sampling
from streamer.dev.triton import Triton
from streamer.learn.data.examples import Examples, read_examples
from streamer.learn.segments.classifier import learn_classifier
from streamer.learn.train.training import Job, train_workers
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.label import Rule
from streamer.records.routing import RouteRecord, TaskRoutes
from streamer.services.classify.classify_handler import ClassifyHandler
from streamer.services.classify.observing import Observing
from streamer.services.classify.publish.outputs import Outputs
from streamer.services.classify.route.building import RouteBuilder
from streamer.services.classify.route.segment_router import SegmentRouter
from streamer.services.classify.task import ClassifyTask
from streamer.services.intake.ticket_reader import TicketReader
from streamer.stream.dead_letters import DeadLetters
from streamer.workers.triton import TritonClient
from streamer.workers.worker import Worker

SIZES = (64, 256)
SEGMENTS = 5
ROUNDS = 300
WANTED_SHARE = 0.10
WANTED_MS = 1.0
SEED = 1
TASK = "intent"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A record of the tickets topic."""

    value: bytes
    key: bytes
    offset: int
    topic: str = "tickets"
    partition: int = 0
    timestamp: int = 1_700_000_000_000
    headers: Sequence[tuple[str, bytes]] = ()


def run(options: argparse.Namespace) -> list[Result]:
    """By size of a batch: the router's share of the workers' CPU, and what it adds to p50."""
    settings = load_settings(Path("streamer.yaml"))
    task = settings.tasks[TASK]
    assert task.data is not None  # the sample's task has data
    examples = read_examples(
        task.data.train, text=settings.example_text(task.data), label=task.data.label
    )
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        jobs = [
            Job(TASK, worker.model, worker.kind, task.label_set, examples)
            for worker in task.workers
            if worker.kind is not None
        ]
        train_workers(jobs, folder / "models", seed=SEED, progress=lambda *_: None)
        with Triton(folder / "triton", folder / "models") as triton:
            return [
                result
                for size in SIZES
                for result in asyncio.run(_measured(triton, task, examples, size))
            ]


@dataclass(slots=True)
class Costs:
    """Of a handler's batches: milliseconds from end to end, and seconds of this process's CPU."""

    ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    async def add(self, handler: ClassifyHandler, batch: Sequence[Ticket]) -> None:
        began, cpu = time.perf_counter(), time.process_time()
        async for _ in handler.handle(batch):
            pass
        self.ms.append((time.perf_counter() - began) * 1000)
        self.cpu_s += time.process_time() - cpu


async def _measured(
    triton: Triton, task: TaskSettings, examples: Examples, size: int
) -> list[Result]:
    gate = _gate(task, examples)
    batches = list(_batches(examples.texts, size))
    tickets = size * len(batches)
    async with _handlers(triton, task, gate) as (plain, routed):
        for handler in (plain, routed):
            for batch in batches[:20]:
                await Costs().add(handler, batch)
        without, with_it = Costs(), Costs()
        before = tree_cpu_s(triton.pid)
        for batch in batches:
            await without.add(plain, batch)
            await with_it.add(routed, batch)
        workers_us = (tree_cpu_s(triton.pid) - before) / (2 * tickets) * 1e6
    router_us = (with_it.cpu_s - without.cpu_s) / tickets * 1e6
    added = [more - less for less, more in zip(without.ms, with_it.ms, strict=True)]
    shared = {"batch": size, "batches": len(batches), "segments": SEGMENTS, "load": load()}
    return [
        Result(
            f"routing-cpu-{size}",
            router_us,
            "us a ticket",
            workers_us,
            router_us / workers_us,
            f"<= {WANTED_SHARE:g} of the workers' CPU",
            {**shared, "classifier alone": _alone(gate, examples.texts, size)},
        ),
        Result(
            f"routing-latency-{size}",
            statistics.median(with_it.ms),
            "ms a batch, p50",
            statistics.median(without.ms),
            statistics.median(with_it.ms) / statistics.median(without.ms),
            f"<= {WANTED_MS:g} ms more",
            {**shared, "added in pairs, ms": spread(added)},
        ),
    ]


def _gate(task: TaskSettings, examples: Examples) -> Gate:
    """Of planted segments: every one is a part of the labels."""
    label_ids = np.array([task.label_set.index[label] for label in examples.labels])
    classifier = learn_classifier(examples.texts, label_ids % SEGMENTS, SEGMENTS, SEED)
    if classifier is None:
        raise SystemExit("the sample is too small for a classifier of segments")
    return classifier.gate


@asynccontextmanager
async def _handlers(
    triton: Triton, task: TaskSettings, gate: Gate
) -> AsyncIterator[tuple[ClassifyHandler, ClassifyHandler]]:
    client = TritonClient(triton.url)
    workers = [Worker(client, worker.model, task.labels) for worker in task.workers]
    names = tuple(worker.model for worker in workers)
    ways = RouteBuilder(task, workers)
    served = RouteRecord(names, Rule("unanimity", len(names), len(names)), {})
    numbers = range(1, SEGMENTS + 1)
    router = SegmentRouter(gate, numbers, "bench")
    found = TaskRoutes(task.label_set.version, {}, 1.0, {str(one): served for one in numbers})
    plain = ClassifyTask(TASK, task.label_set, ways.configured())
    routed = ClassifyTask(
        TASK, task.label_set, ways.configured(), routes=ways.routed(found, numbers, router)
    )
    try:
        yield _handler(plain), _handler(routed)
    finally:
        for worker in workers:
            await worker.close()
        await client.close()


def _handler(task: ClassifyTask) -> ClassifyHandler:
    tracing = Tracing("bench", 0.0)
    return ClassifyHandler(
        source="bench",
        ticket_reader=TicketReader(),
        tasks=[task],
        outputs=Outputs("labels", "judge", "audit", "review", "log"),
        dead_letters=DeadLetters("dead", 2**20),
        tracing=tracing,
        observing=Observing(Metrics(), tracing),
        sampling=Sampling("bench"),
    )


def _batches(texts: Sequence[str], size: int) -> Iterator[list[Ticket]]:
    random = np.random.default_rng(SEED)
    for number in range(ROUNDS):
        picks = random.integers(len(texts), size=size)
        yield [
            Ticket(
                orjson.dumps({"id": f"T-{number}-{at}", "text": texts[pick]}),
                b"",
                number * size + at,
            )
            for at, pick in enumerate(picks.tolist())
        ]


def _alone(gate: Gate, texts: Sequence[str], size: int) -> dict[str, float]:
    """The classifier alone: CPU in microseconds a ticket, and milliseconds a batch."""
    cpu, took = time.thread_time(), []
    for number in range(ROUNDS):
        some = [texts[(number * size + at) % len(texts)] for at in range(size)]
        began = time.perf_counter()
        gate.names(some)
        took.append((time.perf_counter() - began) * 1000)
    us = (time.thread_time() - cpu) / (ROUNDS * size) * 1e6
    p50, p99 = np.quantile(took, (0.5, 0.99)).tolist()
    return {"us a ticket": us, "ms a batch, p50": p50, "ms a batch, p99": p99}
