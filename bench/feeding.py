"""How full the judge keeps vLLM: judged tickets/s through Kafka beside offline vLLM.

Both answer the same distinct prompts with the same engine settings, in turns; loading is left out.
"""

import argparse
import asyncio
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from aiokafka import AIOKafkaProducer

from bench.asked import LABELS, TASK, request
from bench.labels import steady_rate, wait_for, written
from bench.result import Result, load, spread
from bench.stand import running
from streamer.config.kafka import Topics
from streamer.dev.child import Child
from streamer.dev.kafka import Kafka
from streamer.stream.topics import TopicSpec, create_topics

JUDGE_PYTHON = ".venv-judge/bin/python"
WITHIN_S = 400.0
STAMPED = {"message.timestamp.type": "LogAppendTime"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is fed, by its name in `bench.fed`, and the settings of a judge of it in `folder`."""

    name: str
    folder: Path

    def judge(self) -> dict[str, object]:
        if self.name == "encoder":
            return {"models": str(self.folder)}
        folders = {"model": str(self.folder / "model"), "prompts": str(self.folder / "prompts")}
        # Random weights say anything but labels, and reviews are another topic.
        return {"kind": "llm", "min_coverage": 0, **folders}

    def side(self, side: str, *options: str) -> list[str]:
        """The command that is one side of it."""
        return [JUDGE_PYTHON, "-m", "bench.fed", self.name, side, str(self.folder), *options]


def run(options: argparse.Namespace) -> list[Result]:
    """For each subject the median of the pairs' ratios."""
    counts = {"encoder": options.judged, "language": options.read}
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with Kafka(folder / "kafka") as kafka:
            return [
                _compared(Subject(name, folder / name), kafka.bootstrap, count, options.judge_pairs)
                for name, count in counts.items()
            ]


def _compared(subject: Subject, bootstrap: str, tickets: int, pairs: int) -> Result:
    subject.folder.mkdir()
    subprocess.run(subject.side("prepare"), check=True)
    found = []
    for number in range(pairs):
        alone, tokens = _offline(subject, subject.folder / f"offline-{number}.json", tickets)
        found.append((_through(subject, bootstrap, number, tickets), alone))
    ratios = [through / alone for through, alone in found]
    return Result(
        f"feeding-{subject.name}",
        statistics.median(through for through, _ in found),
        "tickets/s",
        statistics.median(alone for _, alone in found),
        statistics.median(ratios),
        "ratio >= 0.90",
        {
            "ratios": spread(ratios),
            "tickets": tickets,
            "tokens/ticket": tokens / tickets,
            "load": load(),
        },
    )


def _offline(subject: Subject, file: Path, tickets: int) -> tuple[float, int]:
    """Tickets per second, and tokens in all."""
    argv = subject.side("offline", "--file", str(file), "--count", str(tickets))
    subprocess.run(argv, check=True)
    found = orjson.loads(file.read_bytes())
    return tickets / found["seconds"], found["tokens"]


def _through(subject: Subject, bootstrap: str, number: int, tickets: int) -> float:
    """Tickets per second from a backlog on Kafka to labels on Kafka."""
    group = f"feeding-{subject.name}-{number}"
    topics = Topics(**{name: f"{group}.{name}" for name in Topics.model_fields})
    config = subject.folder / f"{group}.json"
    config.write_bytes(orjson.dumps(_configuration(bootstrap, topics, group, subject.judge())))
    asyncio.run(_prepare(bootstrap, topics, tickets))
    argv = [JUDGE_PYTHON, "-m", "streamer.cli", "judge", "--config", str(config)]
    child = Child(argv, subject.folder / f"{group}.log")
    child.start()
    with running(child):
        asyncio.run(wait_for(bootstrap, topics.labels, tickets, WITHIN_S))
    return steady_rate(asyncio.run(written(bootstrap, topics.labels)))


def _configuration(
    bootstrap: str, topics: Topics, group: str, judge: dict[str, object]
) -> dict[str, object]:
    return {
        "kafka": {"bootstrap": bootstrap, "group": group, "start": "earliest"},
        "topics": topics.model_dump(),
        "audit": {"share": 0},
        "tracing": {"sample": 0},
        "judge": {**judge, "listen": {"port": 0}},
        "tasks": {TASK: {"labels": list(LABELS.labels), "workers": ["one", "two"]}},
    }


async def _prepare(bootstrap: str, topics: Topics, tickets: int) -> None:
    specs = [TopicSpec(name, 3, STAMPED) for name in topics.model_dump().values()]
    await create_topics(bootstrap, specs)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer:
        for made in map(request, range(tickets)):
            await producer.send(topics.judge, made.to_json(), key=made.ticket.id.encode())
        await producer.flush()
