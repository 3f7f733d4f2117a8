"""The account of a whole run: what became of every input record, from the topics alone."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import ConsumerRecord

from streamer.config.kafka import Topics
from streamer.records.dead_letter import DeadLetter
from streamer.stream.groups import committed


class Place(NamedTuple):
    """An input record and a task; the task is "" for what concerns them all."""

    partition: int
    offset: int
    task: str


@dataclass(frozen=True, slots=True)
class Published:
    """One outcome as it lies on a topic; `said` is the label's name, or the dead letter's reason.

    `at` is when it was published, in milliseconds since the epoch.
    """

    kind: str
    at: int
    said: str | None
    decision: tuple[str, int] | None = None


class Account:
    """Everything that was published, by the input record and task that it belongs to.

    Records may be added in any order of the topics, but in the log's order within a partition.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._kinds = {topics.judge: "deferred", topics.review: "review", topics.labels: "label"}
        self._requests: dict[tuple[int, int], Place] = {}
        self.inputs: dict[tuple[int, int], ConsumerRecord] = {}
        self.published: dict[Place, list[Published]] = defaultdict(list)
        self.deletions: Counter[str] = Counter()
        self.unreadable: list[ConsumerRecord] = []

    def add(self, record: ConsumerRecord) -> None:
        """Take in a record of any of the topics; requests come before their dead letters."""
        if record.topic == self._topics.tickets:
            self.inputs[record.partition, record.offset] = record
        elif record.topic == self._topics.dead:
            self._add_dead(record)
        elif record.value is None:
            self.deletions[(record.key or b"").decode()] += 1
        else:
            self._add_decision(record)

    def kinds(self, tasks: Sequence[str]) -> dict[Place, set[str]]:
        """The kinds of outcome of every (input record, task): each should have exactly one.

        A deferral that led to a label, a review or a dead letter is that.
        """
        found: dict[Place, set[str]] = {}
        for (partition, offset), record in self.inputs.items():
            for task in tasks:
                place = Place(partition, offset, task)
                kinds = {item.kind for item in self._of(place)}
                if record.value is None and self.deletions[_key(record, task)]:
                    kinds.add("deletion")
                if len(kinds) > 1:
                    kinds.discard("deferred")
                found[place] = kinds
        return found

    def unaccounted(self, tasks: Sequence[str]) -> dict[Place, set[str]]:
        """Those (input record, task) with no outcome, or with more than one kind."""
        return {place: kinds for place, kinds in self.kinds(tasks).items() if len(kinds) != 1}

    def totals(self, tasks: Sequence[str]) -> Counter[str]:
        """How many (input record, task) have which kind of outcome."""
        return Counter(kind for kinds in self.kinds(tasks).values() for kind in kinds)

    @property
    def repeats(self) -> int:
        """Outcomes published again: the price of at-least-once."""
        return sum(
            count - 1
            for items in self.published.values()
            for count in Counter(item.kind for item in items).values()
        )

    @property
    def differing(self) -> list[Place]:
        """Where one decision and revision was published with more than one label."""
        return [place for place, items in self.published.items() if _differ(items)]

    def hits(self, kills: Sequence[int], *, shortly: int = 3000) -> list[int]:
        """For each kill (milliseconds since the epoch), how much work in flight it provably hit.

        That is what was published up to `shortly` milliseconds before the kill, and then again
        after it: it was done and not yet committed. A kill between two units of work hits nothing.
        """
        found = [0] * len(kills)
        for first, second in self._pairs():
            number = bisect_left(kills, first)
            if number < len(kills) and kills[number] - shortly <= first <= kills[number] < second:
                found[number] += 1
        return found

    def _pairs(self) -> Iterable[tuple[int, int]]:
        for items in self.published.values():
            for kind in {item.kind for item in items} if len(items) > 1 else ():
                times = sorted(item.at for item in items if item.kind == kind)
                yield from pairwise(times)

    def _of(self, place: Place) -> list[Published]:
        whole = place._replace(task="")
        return [*self.published.get(place, ()), *self.published.get(whole, ())]

    def _add_decision(self, record: ConsumerRecord) -> None:
        try:
            body = orjson.loads(record.value)
            position = body["position"]
            place = Place(position["partition"], position["offset"], body["task"])
            decision = (body["decision_id"], body.get("revision", 0))
        except (ValueError, KeyError, TypeError):
            self.unreadable.append(record)
            return
        kind = self._kinds[record.topic]
        if kind == "deferred":
            self._requests[record.partition, record.offset] = place
        said = body["label"] if kind == "label" else None
        item = Published(kind, record.timestamp, said, decision)
        self.published[place].append(item)

    def _add_dead(self, record: ConsumerRecord) -> None:
        letter = DeadLetter.from_headers(record.headers)
        place = Place(letter.partition, letter.offset, "")
        if letter.topic == self._topics.judge:
            place = self._requests[letter.partition, letter.offset]
        self.published[place].append(Published("dead letter", record.timestamp, letter.reason))


async def account(bootstrap: str, topics: Topics) -> Account:
    """Read the topics from their beginnings to where they end now."""
    made = Account(topics)
    for topic in (topics.tickets, topics.judge, topics.labels, topics.review, topics.dead):
        async for record in whole(bootstrap, topic):
            made.add(record)
    return made


async def whole(bootstrap: str, topic: str) -> AsyncIterator[ConsumerRecord]:
    """Every record of a topic up to where it ends now."""
    async with _reader(bootstrap, topic) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        left = {tp for tp, end in ends.items() if end > 0}
        while left:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    yield record
            left = {tp for tp in left if await consumer.position(tp) < ends[tp]}


async def lag(bootstrap: str, group: str, topic: str) -> int:
    """How many records of a topic a consumer group has not committed."""
    async with _reader(bootstrap, topic) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        done = await committed(admin, group)
    finally:
        await admin.close()
    return sum(end - done.get(place, 0) for place, end in ends.items())


def _reader(bootstrap: str, topic: str) -> AIOKafkaConsumer:
    """A consumer of the whole topic without a group."""
    return AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")


def _key(record: ConsumerRecord, task: str) -> str:
    """That of a deletion's label; the id may be in JSON, as change data capture writes it."""
    name = (record.key or b"").decode(errors="replace")
    with suppress(ValueError, KeyError, TypeError):
        name = orjson.loads(name)["id"]
    return f"{name}/{task}"


def _differ(items: Sequence[Published]) -> bool:
    said: dict[tuple[str, int], set[str | None]] = defaultdict(set)
    for item in items:
        if item.kind == "label" and item.decision is not None:
            said[item.decision].add(item.said)
    return any(len(names) > 1 for names in said.values())
