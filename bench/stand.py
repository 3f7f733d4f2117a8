"""The servers that benchmarks run on, and the processes that are compared on them."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.sink import sink
from streamer.dev.child import Child
from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from streamer.learn.artifacts.repository import write_model
from streamer.stream.topics import TopicSpec, create_topics

PARTITIONS = 6
LABELS = ("account", "billing", "card", "delivery", "login", "refund", "technical", "other")
WORKERS = ("echo_a", "echo_b", "echo_c")


@dataclass(frozen=True, slots=True)
class Stand:
    """Kafka, Triton with three echo workers and a sink for spans, all on loopback."""

    folder: Path
    bootstrap: str
    triton: str
    spans: str
    numbers: Iterator[int]

    def topic(self, name: str, partitions: int = PARTITIONS, stamped: bool = False) -> str:
        """A new topic, whose name begins with `name`; `stamped` by the broker, on arrival."""
        full = f"{name}-{next(self.numbers)}"
        config = {"message.timestamp.type": "LogAppendTime"} if stamped else {}
        asyncio.run(create_topics(self.bootstrap, [TopicSpec(full, partitions, config)]))
        return full

    def classify(
        self,
        tickets: str,
        labels: str,
        workers: Sequence[str] = WORKERS[:2],
        settings: Mapping[str, str] | None = None,
    ) -> Child:
        """`streamer classify`, started at the beginning of `tickets` as a new group."""
        number = next(self.numbers)
        config = self.folder / f"streamer-{number}.yaml"
        config.write_text(
            _CONFIG.format(
                bootstrap=self.bootstrap,
                group=f"classify-{number}",
                triton=self.triton,
                tickets=tickets,
                labels=labels,
                judge=self.topic("judge"),
                dead=self.topic("dead", 1),
                audit=self.topic("audit", 1),
                review=self.topic("review", 1),
                answers=self.topic("answers", 1),
                log=self.topic("log", 1),
                stats=self.topic("stats", 1),
                label_set=", ".join(LABELS),
                workers=", ".join(workers),
            )
        )
        options = [f"{key}={value}" for key, value in (settings or {}).items()]
        argv = [sys.executable, "-m", "streamer.cli", "classify", "--config", str(config)]
        argv += [word for option in options for word in ("--set", option)]
        env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": self.spans}
        return self._started(argv, f"classify-{number}", env)

    def bare(
        self,
        tickets: str,
        labels: str,
        prepared: str,
        workers: Sequence[str] = WORKERS[:2],
        max_batch: int = 1024,
        in_flight: int = 4,
        places: str = "hashed",
    ) -> Child:
        """The opponent on the same tickets; `prepared` is the topic with classify's labels."""
        number = next(self.numbers)
        options = {
            "bootstrap": self.bootstrap,
            "triton": self.triton,
            "tickets": tickets,
            "labels": labels,
            "prepared": prepared,
            "group": f"bare-{number}",
            "max-batch": str(max_batch),
            "in-flight": str(in_flight),
            "places": places,
        }
        argv = [sys.executable, "-m", "bench.bare", "--workers", *workers]
        argv += [word for key, value in options.items() for word in (f"--{key}", value)]
        return self._started(argv, f"bare-{number}", dict(os.environ))

    def _started(self, argv: Sequence[str], name: str, env: Mapping[str, str]) -> Child:
        child = Child(argv, self.folder / f"{name}.log", env=env)
        child.start()
        return child


_CONFIG = """\
kafka: {{bootstrap: "{bootstrap}", group: {group}, start: earliest}}
topics:
  {{tickets: {tickets}, labels: {labels}, judge: {judge}, dead: {dead}, audit: {audit},
    review: {review}, answers: {answers}, log: {log}, stats: {stats}}}
audit: {{share: 0}}
triton: {{url: "{triton}"}}
classify: {{listen: {{port: 0}}}}
tracing: {{sample: 0.01}}
tasks:
  intent:
    labels: [{label_set}]
    workers: [{workers}]
"""


@contextmanager
def stand(confidence: str = "0.9") -> Iterator[Stand]:
    """Everything up; it is gone afterwards, with its files."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        for worker in WORKERS:
            parameters = {"confidence": confidence}
            write_model(folder / "models", worker, "echo", LABELS, parameters=parameters)
        with (
            sink() as spans,
            Kafka(folder / "kafka") as kafka,
            Triton(folder / "triton", folder / "models") as triton,
        ):
            yield Stand(folder, kafka.bootstrap, triton.url, spans, count())


@contextmanager
def running(child: Child) -> Iterator[Child]:
    """The process, stopped at the end; shows the end of its log where the block raises."""
    try:
        yield child
    except BaseException:
        sys.stderr.write(child.log_tail() + "\n")
        raise
    finally:
        child.stop()
