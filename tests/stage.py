"""Real `streamer` processes on topics of their own: for tests of the whole from outside."""

import asyncio
import csv
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import yaml
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from streamer.config.kafka import Topics
from streamer.dev.child import Child
from streamer.dev.kafka import Kafka
from streamer.dev.ports import LOOPBACK, free_port
from streamer.stream.topics import TopicSpec, create_topics
from tests.accounting import Account, account, lag
from tests.conftest import ECHO_LABELS, ECHO_MODELS, unique_topic

ROOT = Path(__file__).resolve().parents[1]
JUDGE_PYTHON = ROOT / ".venv-judge" / "bin" / "python"
LARGEST = str(11 * 2**20)

Wire = tuple[bytes | None, bytes | None]
"""Key and value of a record."""


class Service:
    """One `streamer classify` or `streamer judge`; it never outlives the test."""

    def __init__(
        self, verb: str, arguments: Sequence[str], log: Path, python: Path = Path(sys.executable)
    ) -> None:
        port = free_port()
        self.url = f"http://{LOOPBACK}:{port}"
        argv = [str(python), "-m", "streamer.cli", verb, *arguments]
        self.child = Child([*argv, "--listen", f"{LOOPBACK}:{port}"], log)

    def start(self) -> None:
        self.child.start()

    def ready(self) -> bool:
        """Whether it reads its topic; it must not have ended."""
        assert self.child.running, f"it ended with {self.child.returncode}:\n{self.log}"
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    async def started(self, within_s: float = 180) -> None:
        """Start it and wait until it has partitions."""
        self.start()
        await until(lambda: asyncio.to_thread(self.ready), within_s)

    def kill(self) -> int:
        """SIGKILL; returns when, in milliseconds since the epoch, after it is gone."""
        assert self.child.pid is not None
        assert self.child.running, f"it ended with {self.child.returncode}:\n{self.log}"
        at = int(time.time() * 1000)
        os.kill(self.child.pid, signal.SIGKILL)
        assert self.child.wait(30)
        return at

    async def stopped(self, within_s: float = 60) -> int | None:
        """SIGTERM; returns the exit code once it has ended by itself."""
        pid = self.child.pid
        assert pid is not None
        assert self.child.running, f"it ended with {self.child.returncode}:\n{self.log}"
        os.kill(pid, signal.SIGTERM)
        assert await asyncio.to_thread(self.child.wait, within_s), self.log
        return self.child.returncode

    async def ended(self, within_s: float = 60) -> int | None:
        """The exit code of a process that ends by itself."""
        assert await asyncio.to_thread(self.child.wait, within_s), "it goes on"
        return self.child.returncode

    @property
    def log(self) -> str:
        """The end of what it wrote."""
        return self.child.log_tail(60)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels, as the process says now."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
        return sum(map(float, found))


class Stage:
    """Topics, a configuration file and services of one test, ended when the test ends."""

    def __init__(
        self,
        folder: Path,
        kafka: Kafka,
        triton_url: str,
        blocks: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """`blocks` are laid over the blocks of the configuration."""
        self.bootstrap = kafka.bootstrap
        self.group = unique_topic("group")
        name = unique_topic("tickets")
        others = [topic for topic in Topics.model_fields if topic != "tickets"]
        self.topics = Topics(tickets=name, **{topic: f"{name}.{topic}" for topic in others})
        self._folder = folder
        self._services: list[Service] = []
        self._numbers = count(1)
        self.config = folder / f"{name}.yaml"
        self.configuration: dict[str, Any] = self._configuration(triton_url, blocks or {})
        self.config.write_text(yaml.safe_dump(self.configuration, sort_keys=False))

    async def make_topics(self, partitions: int = 4, **config: str) -> None:
        large = {"max.message.bytes": LARGEST, **config}
        alone = {self.topics.stats, self.topics.alerts}
        names = self.topics.names
        kept = {self.topics.current: {**large, "cleanup.policy": "compact"}}
        specs = [
            TopicSpec(name, 1 if name in alone else partitions, kept.get(name, large))
            for name in names
        ]
        await create_topics(self.bootstrap, specs)

    def service(self, verb: str = "classify", *arguments: str, member: str = "") -> Service:
        """A service that isn't started yet; `member` is a static member id."""
        arguments = ("--config", str(self.config), *arguments)
        if member:
            arguments += ("--set", f"kafka.member={member}")
        log = self._folder / f"{self.topics.tickets}.{verb}.{next(self._numbers)}.log"
        kind = self.configuration.get("judge", {}).get("kind")
        # Behind an endpoint it needs no engine, and no environment of its own.
        engine = verb == "judge" and kind != "endpoint"
        python = JUDGE_PYTHON if engine else Path(sys.executable)
        made = Service(verb, arguments, log, python)
        self._services.append(made)
        return made

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *error: object) -> None:
        for service in self._services:
            service.child.stop(grace_s=0)

    async def feed(
        self, records: Iterable[Wire], rate: float | None = None, topic: str = "", **producer: Any
    ) -> None:
        """Write records, `rate` of them per second; they are with Kafka when this returns."""
        topic = topic or self.topics.tickets
        sender = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, linger_ms=5, max_request_size=2**24, **producer
        )
        async with sender:
            began, sent = time.monotonic(), []
            for number, (key, value) in enumerate(records):
                if rate and number % 25 == 0:
                    await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                sent.append(await sender.send(topic, value, key=key))
            await asyncio.gather(*sent)

    async def account(self) -> Account:
        return await account(self.bootstrap, self.topics)

    async def drained(self, within_s: float = 180, verb: str = "classify") -> None:
        """Wait until the group has committed all that is in its topic."""
        topic = self.topics.judge if verb == "judge" else self.topics.tickets

        async def empty() -> bool:
            return await lag(self.bootstrap, f"{self.group}-{verb}", topic) == 0

        await until(empty, within_s)

    async def accounted(self, count: int, within_s: float = 120) -> Account:
        """The account once `count` outcomes are on the topics."""
        made = Account(self.topics)

        async def enough() -> bool:
            nonlocal made
            made = await self.account()
            outcomes = sum(len(items) for items in made.published.values())
            return outcomes + made.deletions.total() >= count

        await until(enough, within_s)
        return made

    def _configuration(
        self, triton_url: str, blocks: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        intent = {"labels": list(ECHO_LABELS), "workers": list(ECHO_MODELS)}
        made: dict[str, Any] = {
            "kafka": {
                "bootstrap": self.bootstrap,
                "group": self.group,
                "start": "earliest",
                "session_timeout": 6,
                "drain": 10,
            },
            "topics": self.topics.model_dump(),
            "triton": {"url": triton_url, "abstain_after": 2},
            "tasks": {"intent": intent},
        }
        for name, block in blocks.items():
            made[name] = {**made.get(name, {}), **block}
        return made


@asynccontextmanager
async def admin(stage: Stage) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client of the stage's Kafka."""
    client = AIOKafkaAdminClient(bootstrap_servers=stage.bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def until(holds: Callable[[], Awaitable[bool]], within_s: float) -> None:
    """Wait until it holds; fails after `within_s` seconds."""
    ends = time.monotonic() + within_s
    while not await holds():
        assert time.monotonic() < ends, f"not within {within_s:g} s"
        await asyncio.sleep(0.1)


def streamer(*arguments: str, within_s: float = 180) -> "subprocess.CompletedProcess[str]":
    """Run the command as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "streamer.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )


def ticket(number: int | str, text: str, **fields: Any) -> Wire:
    """A ticket as it lies on the topic, with an id of its own."""
    name = f"t{number}"
    return name.encode(), orjson.dumps({"id": name, "text": text, **fields})


def part_of(source: Path, target: Path, rows: int) -> None:
    """Write about `rows` rows of a CSV file, evenly chosen, with its header."""
    with source.open(newline="") as read, target.open("w", newline="") as written:
        lines = list(csv.reader(read))
        step = max(1, (len(lines) - 1) // rows)
        csv.writer(written).writerows([lines[0], *lines[1::step]])


def agreed(number: int, size: int = 200) -> Wire:
    """A ticket of about `size` bytes on which the echo workers agree."""
    return ticket(number, f"#label={number % 4} ".ljust(size - 30, "x"))


def disputed(number: int, size: int = 200) -> Wire:
    """A ticket on which no two of the echo workers agree."""
    return ticket(number, "#echo_a=0 #echo_b=1 #echo_c=2 ".ljust(size - 30, "x"))


BROKEN: Wire = (b"broken", b'{"text": "no id"')
