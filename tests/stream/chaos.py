"""One simulated run: processes that crash, leave, join and fail while tickets flow."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from streamer.errors import BrokerError, ModelError
from streamer.stream.commits import Commits
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.engine import Engine
from streamer.stream.handler import Emission, Handler, Record, Settled
from streamer.stream.isolation.in_flight_journal import Committed, InFlightJournal
from streamer.stream.isolation.poison_isolation import PoisonIsolation
from streamer.stream.isolation.shared_exclusive_lock import SharedExclusiveLock
from streamer.stream.limits import Limits
from streamer.stream.offset_reset import OffsetReset
from streamer.stream.publisher import Publisher
from tests.stream.same_topic import SameTopic
from tests.stream.simulated import SET_ASIDE, Group, Log, SimConsumer, SimProducer, SimRecord
from tests.stream.virtual_loop import VirtualLoop

CHAOS_SECONDS = 40.0
LIMITS = Limits(
    max_batch=12, in_flight=3, max_buffered=30, max_bytes=512 * 2**20, copies=1, drain=2.0
)
AHEAD = 8


@dataclass
class Parts:
    """The classes a process is built from; the negative controls put broken ones here.

    With a share of `deadly` records the processes keep a journal and try what an end left.
    """

    engine: Callable[..., Engine] = Engine
    publisher: Callable[..., Publisher] = Publisher
    journal: "type[SimJournal]" = field(default_factory=lambda: SimJournal)
    trials: Callable[..., Handler] = PoisonIsolation
    deadly: float = 0.0
    # Seconds without harm that are enough for all to be done.
    quiet: float = 300.0


@dataclass
class Outcome:
    seed: int
    violations: list[str] = field(default_factory=list)
    records: int = 0
    repeats: int = 0
    kills: int = 0
    failures: int = 0
    rebalances: int = 0
    most_buffered: int = 0
    deadly: int = 0
    set_aside: int = 0
    # Of the deadly record that ended most processes.
    most_deaths: int = 0


class SimJournal(InFlightJournal):
    """Remembers what is under trial, so that a run can say whether a death was one."""

    def __init__(self, log: Log, consumer: SimConsumer) -> None:
        super().__init__(consumer, self._committed, AHEAD)
        self._log = log
        self.trying: set[tuple[int, int]] = set()

    async def _committed(
        self, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Committed]:
        await asyncio.sleep(self._log.chance.expovariate(20))
        log = self._log
        return {tp: (log.committed[tp], log.notes[tp]) for tp in partitions if tp in log.committed}

    async def begin(self, record: Record) -> None:
        self.trying.add((record.partition, record.offset))
        await super().begin(record)

    async def finish(self, record: Record) -> None:
        await super().finish(record)
        self.trying.discard((record.partition, record.offset))

    async def spare(self, record: Record) -> None:
        await super().spare(record)
        self.trying.discard((record.partition, record.offset))


class SimHandler:
    """Answers in any order, with one, two or no records per input, sometimes very late."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.fail = 0.0
        self.killed_by: list[SimRecord] = []
        # What the first batch that failed held.
        self.failed: Sequence[SimRecord] = ()

    async def handle(
        self, batch: Sequence[SimRecord]
    ) -> AsyncIterator[Sequence[Emission | Settled]]:
        chance = self._log.chance
        waiting = chance.sample(batch, len(batch))
        while waiting:
            await asyncio.sleep(chance.choice([0, 0.01, 0.1, 0.1, 4]) * chance.random())
            if chance.random() < self.fail:
                self.failed = self.failed or batch
                raise ModelError("the worker is out; start it")
            size = chance.randint(1, len(waiting))
            group, waiting = waiting[:size], waiting[size:]
            self.killed_by += [record for record in group if record.deadly]
            if self.killed_by:
                self.failed = self.failed or batch
                raise ModelError("the engine died; look into its log")
            yield [item for record in group for item in self._items(record)]

    def _items(self, record: SimRecord) -> list[Emission | Settled]:
        if not record.outputs:
            self._log.settled.add((record.partition, record.offset))
            return [Settled(record, "nothing to say")]
        keys = ["/".join(map(str, output)).encode() for output in record.outputs]
        return [Emission(record, "labels", key, b"label") for key in keys]


class Process:
    """A classify process: engine and clients, which die together."""

    def __init__(self, log: Log, group: Group, parts: Parts) -> None:
        self.consumer = SimConsumer(log, group)
        self.producer = SimProducer(log)
        self.handler = SimHandler(log)
        self.journal = parts.journal(log, self.consumer)
        handler: Handler = self.handler
        commits = Commits(self.consumer)
        if parts.deadly:
            commits = self.journal
            handler = parts.trials(self.handler, self.journal, SharedExclusiveLock(), _set_aside)
        self.engine = parts.engine(
            self.consumer,
            commits,
            parts.publisher(self.producer, limit=10_000, within=60.0),
            handler,
            OffsetReset(self.consumer, SameTopic(), "earliest"),
            DeadLetters("dead", 10_000),
            LIMITS,
        )
        self.task = asyncio.create_task(self.engine.run("tickets"))


def _set_aside(record: Record) -> list[Emission | Settled]:
    key = b"%d/%d/%d" % (record.partition, record.offset, SET_ASIDE)
    return [Emission(record, "dead", key, record.value)]


class Chaos:
    """Runs processes as a supervisor would, and harms them."""

    def __init__(self, seed: int, parts: Parts) -> None:
        self._chance = random.Random(seed)
        self._log = Log(self._chance, self._chance.randint(1, 5), parts.deadly)
        self._group = Group(self._log)
        self._parts = parts
        self._processes: list[Process] = []
        self._outcome = Outcome(seed)
        self._deaths: Counter[tuple[int, int]] = Counter()
        self._killed_by: Counter[tuple[int, int]] = Counter()

    async def run(self) -> Outcome:
        coordinator = asyncio.create_task(self._group.coordinate())
        self._log.grow(50)
        self._start()
        loop = asyncio.get_running_loop()
        until = loop.time() + CHAOS_SECONDS
        while loop.time() < until:
            await asyncio.sleep(self._chance.expovariate(2))
            await self._step()
        await self._calm_down(loop.time() + self._parts.quiet)
        for process in list(self._processes):
            await self._leave(process)
        coordinator.cancel()
        return self._judge()

    async def _step(self) -> None:
        self._log.grow(self._chance.randint(0, 25))
        await self._restart_failed()
        act = self._chance.choice([self._nothing, self._nothing, self._join, self._one_less])
        await act()
        for process in self._processes:
            process.handler.fail = self._chance.choice([0, 0, 0, 0.02])
            process.producer.refuse = self._chance.choice([0, 0, 0, 0.02])
            buffered = process.engine.buffered
            self._outcome.most_buffered = max(self._outcome.most_buffered, buffered)

    async def _nothing(self) -> None: ...

    async def _join(self) -> None:
        if len(self._processes) < 3:
            self._start()

    async def _one_less(self) -> None:
        if self._processes:
            process = self._chance.choice(self._processes)
            await self._chance.choice([self._kill, self._leave])(process)

    def _start(self) -> None:
        self._processes.append(Process(self._log, self._group, self._parts))

    async def _kill(self, process: Process) -> None:
        self._outcome.kills += 1
        process.producer.dead = True
        self._group.kill(process.consumer)
        self._deaths.update(process.journal.trying)
        process.task.cancel()
        await asyncio.gather(process.task, return_exceptions=True)
        self._forget(process)

    async def _leave(self, process: Process) -> None:
        process.engine.stop()
        await self._ended(process)

    async def _ended(self, process: Process) -> None:
        (error,) = await asyncio.gather(process.task, return_exceptions=True)
        if error is not None:
            self._outcome.failures += 1
            self._deaths.update(self._accused(process, error))
            killers = {(record.partition, record.offset) for record in process.handler.killed_by}
            self._killed_by.update(killers)
            if not isinstance(error, ModelError | BrokerError):
                self._outcome.violations.append(f"the engine failed by itself: {error!r}")
        self._group.leave(process.consumer)
        self._forget(process)

    def _accused(self, process: Process, error: BaseException) -> set[tuple[int, int]]:
        """Whose trial may be taken for the cause: nobody's where it was Kafka."""
        if isinstance(error, BrokerError):
            return set()
        return {(record.partition, record.offset) for record in process.handler.failed}

    def _forget(self, process: Process) -> None:
        self._outcome.rebalances += process.engine.counts.rebalances
        self._processes.remove(process)

    async def _restart_failed(self) -> None:
        for process in [p for p in self._processes if p.task.done()]:
            await self._ended(process)
        if not self._processes:
            self._start()

    async def _calm_down(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        while not self._log.all_committed:
            if loop.time() > deadline:
                self._outcome.violations.append(f"stuck: committed {self._log.committed}")
                return
            for process in self._processes:
                process.handler.fail = process.producer.refuse = 0.0
            await self._restart_failed()
            await asyncio.sleep(1)

    def _judge(self) -> Outcome:
        outcome, log = self._outcome, self._log
        outcome.records = sum(map(len, log.records.values()))
        outcome.repeats = log.repeats
        outcome.violations += log.violations
        outcome.violations += [f"lost: {r.partition}@{r.offset}" for r in log.lost]
        every = [record for records in log.records.values() for record in records]
        outcome.deadly = sum(record.deadly for record in every)
        outcome.most_deaths = max(self._killed_by.values(), default=0)
        for record in filter(log.is_set_aside, every):
            outcome.set_aside += 1
            deaths = self._deaths[record.partition, record.offset]
            if deaths < 2:
                outcome.violations.append(f"set aside after {deaths} deaths: {record}")
        return outcome


def simulate(seed: int, parts: Parts | None = None) -> Outcome:
    """One run, the same for the same seed."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(Chaos(seed, parts or Parts()).run())
