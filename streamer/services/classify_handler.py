"""What classify does with a batch: read tickets, let workers vote, publish or defer."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence

import numpy as np

from streamer.decide.votes import plurality
from streamer.errors import TicketError
from streamer.observe.batch_trace import BatchTrace
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.identity import TicketIdentity
from streamer.records.judge_request import Follower
from streamer.records.label import DELETED_AT, Label, Source, label_key
from streamer.services.arrival import Arrival
from streamer.services.intake import Intake, milliseconds, rfc3339
from streamer.services.merge import merge
from streamer.services.outcomes import Outcome, label, outcomes, request
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
        for record in batch:
            try:
                if record.value is None:
                    settled += self._deletion(record)
                else:
                    arrivals.append(self._arrival(record, received_ns))
            except TicketError as error:
                settled.append(self._dead(record, error, received_ns))
        return arrivals, settled

    def _arrival(self, record: Record, received_ns: int) -> Arrival:
        ticket = self._intake.ticket(record)
        identity = TicketIdentity(self._source, record.topic, record.partition, record.offset)
        trace = self._tracing.ticket(record.headers, identity, received_ns=received_ns)
        trace.identify(ticket.id)
        created = milliseconds(ticket.created_at) if self._intake.own_time else None
        return Arrival(record, ticket, identity, trace, created or float(record.timestamp))

    def _deletion(self, record: Record) -> list[Emission]:
        ticket_id = self._intake.deleted(record)
        self._metrics.tombstone()
        # A label of before may be published after this, by the judge or a batch in flight.
        headers = [(DELETED_AT, str(record.offset).encode())]
        return [
            Emission(record, self._labels_topic, label_key(ticket_id, task.name), None, headers)
            for task in self._tasks
        ]

    def _dead(self, record: Record, error: TicketError, received_ns: int) -> Emission:
        identity = TicketIdentity(self._source, record.topic, record.partition, record.offset)
        trace = self._tracing.ticket(record.headers, identity, received_ns=received_ns)
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
        async for count in task.voting.run(_texts(arrivals), calls):
            found = outcomes(task, arrivals, _with_fallback(task, count))
            agreed = [outcome for outcome in found if outcome.code >= 0]
            deferred = [outcome for outcome in found if outcome.code < 0]
            if agreed:
                source: Source = "fallback" if count.outage else "workers"
                yield self._labels(task, agreed, source, seen_ms)
            for child in self._children(task):
                ready = _whose_label(agreed, task, child)
                if ready:
                    async for group in self._classify(child, ready, seen_ms, calls):
                        yield group
            if deferred:
                followers = await self._followers(task, deferred, calls)
                yield self._requests(task, deferred, count, followers)

    def _labels(
        self, task: Task, agreed: Sequence[Outcome], source: Source, seen_ms: float
    ) -> Group:
        now_ms = time.time() * 1000
        decided_at = rfc3339(int(now_ms))
        group: Group = []
        for outcome in agreed:
            arrival, trace = outcome.arrival, outcome.arrival.trace
            if trace.sampled:
                name = task.label_set.labels[outcome.code]
                trace.decided(task.name, name, source, rule=task.rule, votes=outcome.votes)
            key = label_key(arrival.ticket.id, task.name)
            value = label(task, outcome, source, decided_at)
            headers = trace.headers(self._labels_topic)
            group.append(Emission(arrival.record, self._labels_topic, key, value, headers))
        created = np.array([outcome.arrival.created_ms for outcome in agreed])
        self._metrics.labels(task.name, source, created, seen_ms, now_ms)
        return group

    def _requests(
        self,
        task: Task,
        deferred: Sequence[Outcome],
        count: Count,
        followers: Mapping[int, Sequence[Follower]],
    ) -> Group:
        reason = "outage" if count.outage else "disagreement"
        self._metrics.deferred(task.name, reason, len(deferred))
        group: Group = []
        for at, outcome in enumerate(deferred):
            arrival = outcome.arrival
            if arrival.trace.sampled:
                arrival.trace.deferred(task.name, reason, votes=outcome.votes)
            headers = arrival.trace.headers(self._judge_topic)
            made = request(task, outcome, count, _traceparent(headers), followers.get(at, ()))
            key = label_key(arrival.ticket.id, task.name)
            group.append(Emission(arrival.record, self._judge_topic, key, made.to_json(), headers))
        return group

    def _children(self, task: Task) -> list[Task]:
        return [
            child for child in self._tasks if child.condition and child.condition.task == task.name
        ]

    async def _followers(
        self, task: Task, deferred: Sequence[Outcome], calls: BatchTrace
    ) -> dict[int, list[Follower]]:
        """Tasks that wait for the judge's label of this one, voted on ahead, by ticket."""
        followers: dict[int, list[Follower]] = {}
        arrivals = [outcome.arrival for outcome in deferred]
        for child in self._children(task):
            async for count in child.voting.run(_texts(arrivals), calls):
                counted = _with_fallback(child, count)
                rows = counted.rows.tolist()
                for row, outcome in zip(rows, outcomes(child, arrivals, counted), strict=True):
                    made = self._follower(child, outcome, counted)
                    followers.setdefault(row, []).append(made)
        return followers

    def _follower(self, child: Task, outcome: Outcome, count: Count) -> Follower:
        values = child.condition.values if child.condition else ()
        if outcome.code < 0:
            made = request(child, outcome, count, outcome.arrival.trace.traceparent, ())
            return Follower(values, request=made)
        source: Source = "fallback" if count.outage else "workers"
        decided_at = rfc3339(int(time.time() * 1000))
        return Follower(values, label=Label.from_json(label(child, outcome, source, decided_at)))


def _texts(arrivals: Sequence[Arrival]) -> list[bytes]:
    return [arrival.ticket.text.encode("utf-8", "replace") for arrival in arrivals]


def _with_fallback(task: Task, count: Count) -> Count:
    if not count.outage or task.voting.on_outage != "fallback":
        return count
    said = plurality([seat.opinion for seat in count.seats])
    return Count(count.rows, count.seats, said, outage=True)


def _whose_label(agreed: Sequence[Outcome], task: Task, child: Task) -> list[Arrival]:
    values = child.condition.values if child.condition else ()
    wanted = {task.label_set.index[value] for value in values}
    return [outcome.arrival for outcome in agreed if outcome.code in wanted]


def _traceparent(headers: Sequence[tuple[str, bytes]]) -> str:
    return next(value.decode() for name, value in headers if name == "traceparent")
