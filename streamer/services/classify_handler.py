"""What classify does with a batch: read tickets, let workers vote, publish or defer."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence

import numpy as np

from streamer.decide.votes import plurality
from streamer.errors import TicketError
from streamer.observe.batch_trace import BatchTrace
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.identities import digests, trace_ids
from streamer.records.judge_request import Follower
from streamer.records.label import DELETED_AT, Label, Source, label_key
from streamer.services.arrival import Arrival
from streamer.services.ballots import Ballots
from streamer.services.intake import Intake, milliseconds, rfc3339
from streamer.services.label_form import LabelForm
from streamer.services.merge import merge
from streamer.services.requests import request
from streamer.services.task import Task
from streamer.services.voting import Count
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.emission import Emission, Settled
from streamer.stream.record import Record

Group = list[Emission | Settled]


class ClassifyHandler:
    """Votes on every ticket for every task that applies to it.

    Labels on which the workers agree go to `labels_topic` as soon as they are decided, the rest
    goes to `judge_topic`. `source` is the input's name in every decision id.
    """

    def __init__(
        self,
        source: str,
        intake: Intake,
        tasks: Sequence[Task],
        labels_topic: str,
        judge_topic: str,
        dead_letters: DeadLetters,
        tracing: Tracing,
        metrics: Metrics,
    ) -> None:
        self._source = source
        self._intake = intake
        self._tasks = tuple(tasks)
        self._forms = {
            task.name: LabelForm(source, task.name, task.label_set, task.rule) for task in tasks
        }
        self._roots = [task for task in tasks if not (task.condition and task.condition.task)]
        self._labels_topic = labels_topic
        self._judge_topic = judge_topic
        self._dead_letters = dead_letters
        self._tracing = tracing
        self._metrics = metrics

    async def handle(
        self, batch: Sequence[Record]
    ) -> AsyncGenerator[Sequence[Emission | Settled], None]:
        """Yields dead letters and deletions first, then each task's labels and judge requests."""
        seen_ms = time.time() * 1000
        arrivals, settled = self._read(batch, int(seen_ms * 1e6))
        if settled:
            yield settled
        chosen = {task.name: self._meeting(task, arrivals) for task in self._roots}
        if missed := self._missed(arrivals, chosen.values()):
            yield missed
        traces = [arrival.trace for arrival in arrivals]
        with self._tracing.batch(batch[0].topic, traces, len(batch)) as calls:
            work = [
                self._classify(task, chosen[task.name], seen_ms, calls)
                for task in self._roots
                if chosen[task.name]
            ]
            if work:
                async for group in merge(work):
                    yield group
        self._metrics.batch(batch[0].topic, time.time() - seen_ms / 1000)

    def _read(self, batch: Sequence[Record], received_ns: int) -> tuple[list[Arrival], Group]:
        arrivals: list[Arrival] = []
        settled: Group = []
        known = digests(self._source, [(r.topic, r.partition, r.offset) for r in batch])
        for record, digest, trace_id in zip(batch, known, trace_ids(known), strict=True):
            try:
                if record.value is None:
                    settled += self._deletion(record)
                else:
                    arrivals.append(self._arrival(record, digest, trace_id, received_ns))
            except TicketError as error:
                settled.append(self._dead(record, trace_id, error, received_ns))
        return arrivals, settled

    def _arrival(self, record: Record, digest: bytes, trace_id: str, received_ns: int) -> Arrival:
        ticket = self._intake.ticket(record)
        trace = self._tracing.ticket(record.headers, trace_id, record, received_ns)
        trace.identify(ticket.id)
        created = milliseconds(ticket.created_at) if self._intake.own_time else None
        return Arrival(record, ticket, digest, trace, created or float(record.timestamp))

    def _deletion(self, record: Record) -> list[Emission]:
        ticket_id = self._intake.deleted(record)
        self._metrics.tombstone()
        # A label of before may be published after this, by the judge or a batch in flight.
        headers = [(DELETED_AT, str(record.offset).encode())]
        return [
            Emission(record, self._labels_topic, label_key(ticket_id, task.name), None, headers)
            for task in self._tasks
        ]

    def _dead(
        self, record: Record, trace_id: str, error: TicketError, received_ns: int
    ) -> Emission:
        trace = self._tracing.ticket(record.headers, trace_id, record, received_ns)
        trace.failed(error.reason)
        trace.end()
        self._metrics.dead(error.reason)
        return self._dead_letters.emission(record, error)

    def _meeting(self, task: Task, arrivals: Sequence[Arrival]) -> list[Arrival]:
        if task.condition is None:
            return list(arrivals)
        return [arrival for arrival in arrivals if task.condition.met_by(arrival)]

    def _missed(self, arrivals: Sequence[Arrival], chosen: Iterable[Sequence[Arrival]]) -> Group:
        if all(task.condition is None for task in self._roots):
            return []
        met = {id(arrival) for some in chosen for arrival in some}
        return [
            Settled(arrival.record, "no task applies")
            for arrival in arrivals
            if id(arrival) not in met
        ]

    async def _classify(
        self, task: Task, arrivals: Sequence[Arrival], seen_ms: float, calls: BatchTrace
    ) -> AsyncIterator[Group]:
        async for each in task.voting.run(_texts(arrivals), calls):
            agreed, deferred = _parted(_with_fallback(task, each))
            if agreed is not None:
                yield self._labels(task, arrivals, agreed, seen_ms)
                for child in self._children(task):
                    ready = _whose_label(arrivals, agreed, task, child)
                    if ready:
                        async for group in self._classify(child, ready, seen_ms, calls):
                            yield group
            if deferred is not None:
                some = _asked(arrivals, deferred)
                followers = await self._followers(task, some, calls)
                yield self._requests(task, some, deferred, followers)

    def _labels(
        self, task: Task, arrivals: Sequence[Arrival], count: Count, seen_ms: float
    ) -> Group:
        now_ms = time.time() * 1000
        some = _asked(arrivals, count)
        source: Source = "fallback" if count.outage else "workers"
        ballots = Ballots(count.seats, task.label_set)
        values = self._forms[task.name].write(
            some, count.decision, ballots, source, rfc3339(int(now_ms))
        )
        for place, arrival in enumerate(some):
            if arrival.trace.sampled:
                name = task.label_set.labels[count.decision.codes[place]]
                votes = ballots.votes_on(place)
                arrival.trace.decided(task.name, name, source, rule=task.rule, votes=votes)
        created = np.array([arrival.created_ms for arrival in some])
        self._metrics.labels(task.name, source, created, seen_ms, now_ms)
        topic = self._labels_topic
        return [
            Emission(
                arrival.record,
                topic,
                label_key(arrival.ticket.id, task.name),
                value,
                arrival.trace.headers(topic),
            )
            for arrival, value in zip(some, values, strict=True)
        ]

    def _requests(
        self,
        task: Task,
        arrivals: Sequence[Arrival],
        count: Count,
        followers: Mapping[int, Sequence[Follower]],
    ) -> Group:
        reason = "outage" if count.outage else "disagreement"
        self._metrics.deferred(task.name, reason, len(arrivals))
        ballots = Ballots(count.seats, task.label_set)
        group: Group = []
        for place, arrival in enumerate(arrivals):
            if arrival.trace.sampled:
                votes = ballots.votes_on(place)
                arrival.trace.deferred(task.name, reason, votes=votes)
            headers = arrival.trace.headers(self._judge_topic)
            made = request(
                self._source,
                task,
                arrival,
                ballots,
                place,
                _traceparent(headers),
                followers.get(place, ()),
            )
            key = label_key(arrival.ticket.id, task.name)
            group.append(Emission(arrival.record, self._judge_topic, key, made.to_json(), headers))
        return group

    def _children(self, task: Task) -> list[Task]:
        return [
            child for child in self._tasks if child.condition and child.condition.task == task.name
        ]

    async def _followers(
        self, task: Task, arrivals: Sequence[Arrival], calls: BatchTrace
    ) -> dict[int, list[Follower]]:
        """Tasks that wait for the judge's label of this one, voted on ahead, by ticket."""
        followers: dict[int, list[Follower]] = {}
        for child in self._children(task):
            async for each in child.voting.run(_texts(arrivals), calls):
                count = _with_fallback(child, each)
                made = self._voted_ahead(child, _asked(arrivals, count), count)
                for row, follower in zip(count.rows.tolist(), made, strict=True):
                    followers.setdefault(row, []).append(follower)
        return followers

    def _voted_ahead(
        self, child: Task, arrivals: Sequence[Arrival], count: Count
    ) -> Iterator[Follower]:
        values = child.condition.values if child.condition else ()
        ballots = Ballots(count.seats, child.label_set)
        source: Source = "fallback" if count.outage else "workers"
        now = rfc3339(int(time.time() * 1000))
        labels = self._forms[child.name].write(arrivals, count.decision, ballots, source, now)
        for place, arrival in enumerate(arrivals):
            if count.decision.codes[place] >= 0:
                yield Follower(values, label=Label.from_json(labels[place]))
            else:
                context = arrival.trace.traceparent
                made = request(self._source, child, arrival, ballots, place, context)
                yield Follower(values, request=made)


def _texts(arrivals: Sequence[Arrival]) -> list[bytes]:
    return [arrival.ticket.text.encode("utf-8", "replace") for arrival in arrivals]


def _with_fallback(task: Task, count: Count) -> Count:
    if not count.outage or task.voting.on_outage != "fallback":
        return count
    said = plurality([seat.opinion for seat in count.seats])
    return Count(count.rows, count.seats, said, outage=True)


def _parted(count: Count) -> tuple[Count | None, Count | None]:
    """The tickets with a label, and those without; None for none of them."""
    labelled = count.decision.codes >= 0
    if labelled.all():
        return count, None
    if not labelled.any():
        return None, count
    return count[np.flatnonzero(labelled)], count[np.flatnonzero(~labelled)]


def _asked(arrivals: Sequence[Arrival], count: Count) -> list[Arrival]:
    return [arrivals[row] for row in count.rows.tolist()]


def _whose_label(
    arrivals: Sequence[Arrival], agreed: Count, task: Task, child: Task
) -> list[Arrival]:
    values = child.condition.values if child.condition else ()
    wanted = np.isin(agreed.decision.codes, [task.label_set.index[value] for value in values])
    return [arrivals[row] for row in agreed.rows[wanted].tolist()]


def _traceparent(headers: Sequence[tuple[str, bytes]]) -> str:
    return next(value.decode() for name, value in headers if name == "traceparent")
