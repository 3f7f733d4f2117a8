"""The way of one record through the code: every function, where it is entered first."""

import ast
import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from aiokafka import TopicPartition

import streamer
from streamer.observe.measured import MeasuredConsumer, MeasuredProducer
from streamer.observe.metrics import Metrics
from streamer.stream.commits import Commits
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.engine import Engine
from streamer.stream.handler import Handler, Record
from streamer.stream.offset_reset import OffsetReset
from streamer.stream.publisher import Publisher
from tests.stream.rig import ROOMY, Acknowledging
from tests.stream.same_topic import SameTopic
from tests.stream.virtual_loop import VirtualLoop

HOUSE = Path(streamer.__file__).parent
_INNER = ("<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>", "<module>")

Make = Callable[[MeasuredConsumer, Metrics, DeadLetters], Awaitable[tuple[Handler, Commits]]]


@dataclass(frozen=True)
class Function:
    """`line` is where it begins."""

    file: str
    name: str
    line: int

    @cached_property
    def lines(self) -> int:
        """Those of its body, without the docstring."""
        for node in ast.walk(ast.parse((HOUSE / self.file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                if first == self.line:
                    told = 0 if ast.get_docstring(node) is None else 1
                    body = node.body[told:] or node.body
                    return (node.end_lineno or 0) - body[0].lineno + 1
        return 1  # a lambda


class Way:
    """Notes what is entered between `begin` and `end`; `topics` are those that it led to."""

    def __init__(self) -> None:
        self.functions: dict[Function, None] = {}
        self.topics: set[str] = set()
        self._known: dict[CodeType, Function | None] = {}

    def begin(self) -> None:
        sys.setprofile(self._note)

    def end(self) -> None:
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            code = frame.f_code
            if code not in self._known:
                self._known[code] = _function(code)
            if (function := self._known[code]) is not None:
                self.functions.setdefault(function)

    @property
    def stays(self) -> list[tuple[str, list[Function]]]:
        """One file after the other, with what is entered there first."""
        runs = groupby(self.functions, lambda function: function.file)
        return [(file, list(run)) for file, run in runs]

    @property
    def files(self) -> set[str]:
        return {function.file for function in self.functions}

    @property
    def figures(self) -> tuple[int, int, int]:
        """Files, functions, and returns to a file that was left before."""
        return len(self.files), len(self.functions), len(self.stays) - len(self.files)

    def within(self, *most: int) -> bool:
        """Whether none of the figures is greater; prints the way for where one is."""
        print(self)
        return all(now <= then for now, then in zip(self.figures, most, strict=True))

    def __str__(self) -> str:
        stays = [f"{file} {', '.join(each.name for each in run)}" for file, run in self.stays]
        lines = [f"{number}. {stay}" for number, stay in enumerate(stays, 1)]
        return "\n".join([*lines, f"files, functions, returns: {self.figures}"])


def _function(code: CodeType) -> Function | None:
    file = Path(code.co_filename)
    if code.co_name in _INNER or not file.is_relative_to(HOUSE):
        return None
    return Function(file.relative_to(HOUSE).as_posix(), code.co_qualname, code.co_firstlineno)


class _Once:
    """Hands out one record; the way begins there, and ends with the last of so many commits."""

    def __init__(self, record: Record, way: Way, commits: int) -> None:
        self._partition = TopicPartition(record.topic, record.partition)
        self._records = [record]
        self._way = way
        self._commits = commits
        self.done = asyncio.Event()

    def subscribe(self, *, topics: list[str], listener: object) -> None: ...

    async def getmany(self, **_: int) -> Mapping[TopicPartition, Sequence[Record]]:
        if not self._records:
            await asyncio.Event().wait()
        self._way.begin()
        return {self._partition: [self._records.pop()]}

    async def commit(self, offsets: object) -> None:
        self._commits -= 1
        if not self._commits:
            self.done.set()

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset([self._partition])

    def paused(self) -> set[TopicPartition]:
        return set()

    def highwater(self, partition: TopicPartition) -> int | None:
        return None


class _Producer(Acknowledging):
    async def partitions_for(self, topic: str) -> set[int]:
        return {0, 1, 2}


async def walked(record: Record, make: Make, commits: int = 1) -> Way:
    """The record's way through a real engine, with what is made for it alone."""
    way, producer, metrics = Way(), _Producer(), Metrics()
    once = _Once(record, way, commits)
    measured = MeasuredConsumer(once, record.topic, metrics)
    dead_letters = DeadLetters("dead", 2**20, on_letter=metrics.dead)
    handler, committing = await make(measured, metrics, dead_letters)
    engine = Engine(
        measured,
        committing,
        Publisher(MeasuredProducer(producer, metrics), 2**20, 30),
        handler,
        OffsetReset(once, SameTopic(), "earliest"),
        dead_letters,
        ROOMY,
    )
    running = asyncio.create_task(engine.run(record.topic))
    done = asyncio.create_task(once.done.wait())
    try:
        await asyncio.wait([running, done], return_when=asyncio.FIRST_COMPLETED)
    finally:
        way.end()
    engine.stop()
    await running
    way.topics = {topic for topic, _, _ in producer.sent}
    return way


def of_the_second(walk: Callable[[], Coroutine[Any, Any, Way]]) -> Way:
    """What the first record of a process alone meets, such as hashes not yet remembered, counts
    for nothing; nor does how busy the machine is, on a clock that jumps.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(walk())
        return runner.run(walk())
