"""How full the judge keeps vLLM: judged tickets/s through Kafka beside offline vLLM.

Both answer the same distinct prompts with the same engine settings, in turns; loading is left out.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
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


def run(options: argparse.Namespace) -> list[Result]:
    """The median of the pairs' ratios."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        _side("head", folder / "heads")
        with Kafka(folder / "kafka") as kafka:
            pairs = []
            for number in range(options.judge_pairs):
                alone, tokens = _offline(folder / f"offline-{number}.json", options.judged)
                pairs.append((_through(kafka.bootstrap, folder, number, options.judged), alone))
    ratios = [through / alone for through, alone in pairs]
    return [
        Result(
            "feeding",
            statistics.median(through for through, _ in pairs),
            "tickets/s",
            statistics.median(alone for _, alone in pairs),
            statistics.median(ratios),
            "ratio >= 0.90",
            {
                "ratios": spread(ratios),
                "tickets": options.judged,
                "tokens/ticket": tokens / options.judged,
                "load": load(),
            },
        )
    ]


def _side(side: str, path: Path, tickets: int = 0) -> None:
    argv = [JUDGE_PYTHON, "-m", "bench.fed", side, str(path), "--count", str(tickets)]
    subprocess.run(argv, check=True)


def _offline(path: Path, tickets: int) -> tuple[float, int]:
    """Tickets per second, and tokens in all."""
    _side("offline", path, tickets)
    found = orjson.loads(path.read_bytes())
    return tickets / found["seconds"], found["tokens"]


def _through(bootstrap: str, folder: Path, number: int, tickets: int) -> float:
    """Tickets per second from a backlog on Kafka to labels on Kafka."""
    topics = Topics(**{name: f"feeding-{number}.{name}" for name in Topics.model_fields})
    config = folder / f"streamer-{number}.yaml"
    config.write_bytes(orjson.dumps(_configuration(bootstrap, topics, folder / "heads", number)))
    asyncio.run(_prepare(bootstrap, topics, tickets))
    argv = [JUDGE_PYTHON, "-m", "bench.fed", "serve", str(config)]
    child = Child(argv, folder / f"judge-{number}.log", env=dict(os.environ))
    child.start()
    with running(child):
        asyncio.run(wait_for(bootstrap, topics.labels, tickets, WITHIN_S))
    return steady_rate(asyncio.run(written(bootstrap, topics.labels)))


def _configuration(bootstrap: str, topics: Topics, heads: Path, number: int) -> dict[str, object]:
    return {
        "kafka": {"bootstrap": bootstrap, "group": f"feeding-{number}", "start": "earliest"},
        "topics": topics.model_dump(),
        "audit": {"share": 0},
        "tracing": {"sample": 0},
        "judge": {"models": str(heads), "listen": {"port": 0}},
        "tasks": {TASK: {"labels": list(LABELS.labels), "workers": ["one", "two"]}},
    }


async def _prepare(bootstrap: str, topics: Topics, tickets: int) -> None:
    specs = [TopicSpec(name, 3, STAMPED) for name in topics.model_dump().values()]
    await create_topics(bootstrap, specs)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer:
        for made in map(request, range(tickets)):
            await producer.send(topics.judge, made.to_json(), key=made.ticket.id.encode())
        await producer.flush()
