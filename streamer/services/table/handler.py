"""What the table does with a batch of labels, answers and deletions."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice

from streamer.errors import BrokerError, TicketError
from streamer.observe.metrics import Metrics
from streamer.services.table.copied import copied
from streamer.services.table.kept import Kept
from streamer.services.table.own_topic import OwnTopic
from streamer.services.table.record import caused, headers, written
from streamer.services.table.said import Gone, Word, heard_at, said, word
from streamer.services.table.shelves import Shelves, Written
from streamer.services.table.state import State, Stays, step
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Barrier, Emission, Record, Settled
from streamer.stream.publisher import Publisher

log = logging.getLogger(__name__)

SWEEP_EVERY_S = 3600.0
# Labels that end with one record: of more, the next record takes the next ones.
ENDED_AT_ONCE = 1000
# As long as Kafka keeps a deletion in the table's topic, which is where it is known from.
DELETIONS_KEPT_S = 7 * 86_400.0

MISPLACED = TicketError("unreadable_label", "no key, or one that belongs to another partition")
TOO_LARGE = TicketError("too_large_to_copy", "with the label that it stands over")

Group = list[Emission | Settled]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the handler works with: its two topics, what it knows and looks up, and who asks.

    `me` names this process in what it writes. A label of which nothing was heard for `keep_s`
    seconds ends.
    """

    labels: str
    current: str
    me: bytes
    shelves: Shelves
    own: OwnTopic
    kept: Kept
    stays: Stays
    keep_s: float


class TableHandler:
    """Writes what each label, answer and deletion changes, one batch after the other."""

    def __init__(
        self, desk: Desk, publisher: Publisher, dead_letters: DeadLetters, metrics: Metrics
    ) -> None:
        self._desk = desk
        self._publisher = publisher
        self._dead_letters = dead_letters
        self._metrics = metrics
        # One writer at a time: what is decided first is also first in the log.
        self._writing = asyncio.Lock()
        self._swept: dict[int, float] = {}
        metrics.table_begins()

    async def handle(
        self, batch: Sequence[Record]
    ) -> AsyncGenerator[Sequence[Emission | Settled] | Barrier, None]:
        """Yields what is carried on or given back, then the new states, one a key.

        The states come after the acknowledgement: a state says that its label was carried on.
        """
        seen = time.time()
        numbers = {record.partition for record in batch}
        await self._desk.own.catch_up(numbers)
        async with self._writing:
            with _whole(self._desk.own, numbers):
                carried, changes = await self._decided(batch, seen)
                yield carried
                yield Barrier()
                yield changes
                yield Barrier()
        self._metrics.table("changed", len(changes))
        self._metrics.table_keys(self._desk.shelves.keys)
        self._metrics.batch(batch[0].topic, len(batch), time.time() - seen)

    async def _decided(self, batch: Sequence[Record], seen: float) -> tuple[Group, list[Emission]]:
        """What goes first, and the last new state of each key."""
        carried: Group = []
        changes: dict[bytes, Emission] = {}
        for record, misplaced in zip(batch, self._desk.own.misplaced(batch).tolist(), strict=True):
            if misplaced:
                carried.append(self._dead_letters.emission(record, MISPLACED))
                continue
            carried += await self._heard(record, changes)
            carried += self._expired(record, seen, changes)
        for emission in changes.values():
            self._on_its_way(emission)
        for number, offset in {record.partition: record.offset for record in batch}.items():
            held = self._desk.shelves[number]
            held.heard = max(held.heard, offset)
        return carried, list(changes.values())

    async def repair(self, record: Record) -> bool:
        """Write what stands once more, where another process wrote something else behind it.

        Unless that one has heard more than this process: it is the owner by now, or was so before,
        and what it heard comes here, too.
        False where this process has no say in the partition any more.
        """
        async with self._writing:
            if not self._desk.own.ready(record.partition):
                return False
            with _whole(self._desk.own, [record.partition]):
                await self._repaired(record)
        return True

    async def _repaired(self, record: Record) -> None:
        desk, key = self._desk, record.key or b""
        held = desk.shelves[record.partition]
        if key in held.fresh:
            return  # what is on its way lies behind it
        state, cause = held.shelf.state(key), held.shelf.cause(key)
        theirs = caused(record.headers) or 0
        if theirs > max(cause, held.heard):
            return
        if _says(record, state):
            held.shelf.lies(key, record.offset)
            return
        body = None
        if state.top is not None:
            body = await desk.kept.body(record.partition, held, key)
            if body is None:
                log.error("%s: what stood there is gone; rebuild the table", desk.current)
                return
        mine = headers(state, desk.me, max(cause, theirs))
        emission = Emission(record, desk.current, key, body, mine)
        self._on_its_way(emission)
        await self._publisher.acknowledged(await self._publisher.send([emission]))
        self._metrics.table("repaired")

    async def _heard(self, record: Record, changes: dict[bytes, Emission]) -> Group:
        """What follows from one record beside `changes`, where that of its key is put."""
        try:
            heard = said(record)
        except TicketError as error:
            return [self._dead_letters.emission(record, error)]
        desk, key = self._desk, record.key or b""
        held = desk.shelves[record.partition]
        before = await self._loaded(held.shelf.state(key), record, heard, changes)
        state, changed, correction = step(before, heard, desk.stays)
        cause = held.shelf.cause(key)
        if not changed:
            held.shelf.put(key, _lean(state), heard_at(record), cause)
            return [Settled(record, "written")]
        body = await self._body(record, heard, state, changes)
        # What is heard once more doesn't make a state older than it was said to be.
        cause = max(cause, record.offset)
        emission = Emission(record, desk.current, key, body, headers(state, desk.me, cause))
        if not self._publisher.fits(emission):
            return [self._dead_letters.emission(record, TOO_LARGE)]
        held.shelf.put(key, _lean(state), heard_at(record), cause)
        changes.pop(key, None)
        changes[key] = emission
        if correction is None:
            return [Settled(record, "written")]
        self._metrics.table("carried" if state.person is not None else "released")
        return [Emission(record, desk.labels, key, body)]

    async def _body(
        self, record: Record, heard: Word | Gone, state: State, changes: Mapping[bytes, Emission]
    ) -> bytes | None:
        """The label that stands, as it is written."""
        if state.top is None:
            return None
        for spoken in (heard, state.wanted):
            if isinstance(spoken, Word) and spoken.id == state.stands and spoken.body:
                return spoken.body if spoken.rank == state.top else copied(spoken, state.top).body
        return await self._last(record, changes)

    async def _last(self, record: Record, changes: Mapping[bytes, Emission]) -> bytes:
        """The label that was written last of a record's key; raises `BrokerError` without it."""
        key = record.key or b""
        if (pending := changes.get(key)) is not None and pending.value is not None:
            return pending.value
        held = self._desk.shelves[record.partition]
        body = await self._desk.kept.body(record.partition, held, key)
        if body is None or word(body).id != held.shelf.state(key).stands:
            raise BrokerError(
                f"{self._desk.current}[{record.partition}] doesn't have what was written for a key "
                "there: was it made again? Restart, or run `streamer table --rebuild`"
            )
        return body

    async def _loaded(
        self, state: State, record: Record, heard: Word | Gone, changes: Mapping[bytes, Emission]
    ) -> State:
        """The state of a record's key; with the whole machine's word where a person speaks."""
        if isinstance(heard, Gone) or heard.spoke is None:
            return state
        if state.machine is None or state.machine.body:
            return state
        machine = replace(word(await self._last(record, changes)), rank=state.machine.rank)
        return replace(state, machine=machine)

    def _expired(
        self, record: Record, now: float, changes: Mapping[bytes, object]
    ) -> list[Emission]:
        """Once an hour: the end of each label of this partition of which too long nothing came."""
        desk, number = self._desk, record.partition
        if now - self._swept.setdefault(number, now) < SWEEP_EVERY_S:
            return []
        shelf = desk.shelves[number].shelf
        shelf.forget(int(now - DELETIONS_KEPT_S))
        keys = (key for key in shelf.idle(int(now - desk.keep_s)) if key not in changes)
        idle = list(islice(keys, ENDED_AT_ONCE))
        if len(idle) < ENDED_AT_ONCE:
            self._swept[number] = now
        ended = []
        for key in idle:
            cause = max(shelf.cause(key), record.offset)
            mine = headers(State(), desk.me, cause)
            ended.append(Emission(record, desk.current, key, None, mine))
            shelf.put(key, State(), int(now), cause)
        for emission in ended:
            self._on_its_way(emission)
        self._metrics.table("expired", len(idle))
        return ended

    def _on_its_way(self, emission: Emission) -> None:
        fresh = self._desk.shelves[emission.record.partition].fresh
        earlier = fresh.get(emission.key or b"")
        count = 1 if earlier is None else earlier.count + 1
        fresh[emission.key or b""] = Written(count, emission.value)


@contextmanager
def _whole(own: OwnTopic, numbers: Collection[int]) -> Iterator[None]:
    """Where the work inside isn't done to its end, what it noted was perhaps never written."""
    try:
        yield
    except BaseException:
        own.forget(numbers)
        raise


def _says(record: Record, state: State) -> bool:
    try:
        theirs = written(record)
    except (ValueError, TypeError, LookupError):
        return False
    told = theirs.top, theirs.stands, theirs.beside
    return told == (state.top, state.stands, state.beside)


def _lean(state: State) -> State:
    """Without the body of what stands, which lies in the topic."""
    if state.person is not None or state.machine is None:
        return state
    return replace(state, machine=replace(state.machine, body=b""))
