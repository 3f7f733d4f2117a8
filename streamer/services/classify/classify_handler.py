"""What classify does with a batch: read tickets, let workers vote, publish or defer."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np

from streamer.decide.sampling import Sample, Sampling
from streamer.decide.vote_result import Mask, Rows, VoteResult
from streamer.observe.batch_trace import BatchTrace
from streamer.observe.tracing import Tracing
from streamer.records.judge_request import Follower
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.disposed import Disposed
from streamer.services.classify.door import Door
from streamer.services.classify.failing import Failing
from streamer.services.classify.observing import Observing
from streamer.services.classify.publish.outputs import Outputs, OutputWriter, TaskOutputs
from streamer.services.classify.route.segment_router import Names, SegmentRouter
from streamer.services.classify.task import ClassifyTask
from streamer.services.classify.vote.shadows import Asked
from streamer.services.intake.ticket_reader import TicketReader
from streamer.services.runtime.concurrency import merge
from streamer.services.runtime.writing import Writing
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Barrier, Emission, Record, Settled

Group = Sequence[Emission | Settled]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """One batch on its way; `unlogged` waits with its rows for what the shadows say, `suspended`
    says by task whether what was promised of its rule did not hold for some of it.
    """

    seen_ms: float
    trace: BatchTrace
    closing: ExitStack
    named: Mapping[SegmentRouter, Names]
    writing: Writing
    unlogged: list[tuple[TaskOutputs, Rows, Asked]] = field(default_factory=list)
    suspended: dict[str, bool] = field(default_factory=dict)


class ClassifyHandler:
    """Votes on every ticket for every task that applies to it.

    Labels that need no judge leave as soon as they are decided, the rest goes to the judge's topic.
    `source` is the input's name in every decision id; `part` says which share of the input's
    partitions is read here, `dead_at_most` which share of many records in a row may die of one
    reason (see `Failing`).
    """

    def __init__(
        self,
        *,
        source: str,
        ticket_reader: TicketReader,
        tasks: Sequence[ClassifyTask],
        outputs: Outputs,
        dead_letters: DeadLetters,
        tracing: Tracing,
        observing: Observing,
        sampling: Sampling,
        part: Callable[[], float] = lambda: 1.0,
        dead_at_most: float = 0.5,
    ) -> None:
        self._door = Door(
            source=source,
            ticket_reader=ticket_reader,
            tasks=[task.name for task in tasks],
            labels=outputs.labels,
            dead_letters=dead_letters,
            failing=Failing(dead_at_most),
            tracing=tracing,
        )
        self._roots = [task for task in tasks if not (task.condition and task.condition.task)]
        self._children = {
            task.name: [
                other for other in tasks if other.condition and other.condition.task == task.name
            ]
            for task in tasks
        }
        self._routers = {task.routes.router for task in tasks if task.routes is not None}
        self._writer = OutputWriter(source, outputs)
        self._dead_letters = dead_letters
        self._observing = observing
        self._sampling = sampling
        self._part = part
        observing.begin(tasks, ticket_reader.text.pointers)

    async def handle(
        self, batch: Sequence[Record]
    ) -> AsyncGenerator[Sequence[Emission | Settled] | Barrier, None]:
        """Yields dead letters first, then each task's labels and judge requests, then deletions."""
        seen_ms = time.time() * 1000
        read = await self._door.read(batch, int(seen_ms * 1e6))
        with self._observing.batch(batch, read) as trace, ExitStack() as closing:
            if read.before:
                yield read.before
            chosen = [(task, _meeting(task, read.arrivals)) for task in self._roots]
            if missed := _missed(read.arrivals, chosen):
                yield missed
            context = _Batch(
                seen_ms=seen_ms,
                trace=trace,
                closing=closing,
                named=self._named(read.arrivals),
                writing=Writing(self._dead_letters),
            )
            work = [self._classify(task, met, context) for task, met in chosen if met]
            async for group in merge(work):
                yield group
            if read.after:
                yield read.after
            if context.unlogged:
                async for group in self._late_logs(context):
                    yield group
        self._observing.batch_done(batch, seen_ms, context.suspended)

    async def _late_logs(self, batch: _Batch) -> AsyncIterator[Group]:
        """Last of all, so that no label and no request waits for a version on trial."""
        for task_outputs, rows, asked in batch.unlogged:
            votes = await asked.votes()
            own = [votes.get(row, ()) for row in rows.tolist()]
            self._observing.shadowed(own)
            yield task_outputs.logs(own)

    def _named(self, arrivals: Sequence[Arrival]) -> dict[SegmentRouter, Names]:
        """The segments of a batch, as each router has them."""
        named = {router: router.names(arrivals) for router in self._routers}
        for names in named.values():
            self._observing.named(names)
        return named

    async def _classify(
        self, task: ClassifyTask, arrivals: Sequence[Arrival], batch: _Batch
    ) -> AsyncIterator[Group | Barrier]:
        ids = [arrival.ticket.id for arrival in arrivals]
        sample, texts = self._sampling.sample(ids, task.verify), _texts(arrivals)
        audited = sample.uniform if np.count_nonzero(sample.uniform) else None
        asked = None if task.shadows is None else task.shadows.ask(ids, texts)
        if asked is not None:
            batch.closing.callback(asked.close)
            sample = replace(sample, logged=sample.logged | asked.marks)
        if task.routes is not None:
            self._observing.routed(task, arrivals, batch.named[task.routes.router])
        batch.suspended.setdefault(task.name, False)
        async for vote_result in _votes(task, arrivals, texts, batch, audited):
            task_outputs = self._outputs(task, arrivals, vote_result, sample, batch)
            self._observing.leaving(task_outputs, batch.seen_ms)
            batch.suspended[task.name] |= task_outputs.disposed.suspended
            async for group in self._publish(task_outputs, batch, asked):
                yield group

    def _outputs(
        self,
        task: ClassifyTask,
        arrivals: Sequence[Arrival],
        vote_result: VoteResult,
        sample: Sample,
        batch: _Batch,
    ) -> TaskOutputs:
        """What the tickets of a vote result lead to; `arrivals` and `sample` are those it is of."""
        rows = vote_result.rows
        disposed = Disposed.of(task, vote_result, sample[rows], time.monotonic(), self._part())
        voted_on = [arrivals[row] for row in rows.tolist()]
        return TaskOutputs(self._writer, task, voted_on, disposed, batch.writing)

    async def _publish(
        self, task_outputs: TaskOutputs, batch: _Batch, asked: Asked | None
    ) -> AsyncIterator[Group | Barrier]:
        disposition = task_outputs.disposition
        for labels in task_outputs.labels():
            yield labels
        for child in self._children[task_outputs.task.name]:
            if labelled := _whose_label(task_outputs, child):
                async for group in self._classify(child, labelled, batch):
                    yield group
        if np.count_nonzero(disposition.decide):
            yield await self._requests(task_outputs, batch)
        if following := [
            *task_outputs.requests(disposition.audit, "audit"),
            *task_outputs.reviews(),
            *(task_outputs.logs() if asked is None else ()),
        ]:
            yield following
        if asked is not None:
            batch.unlogged.append((task_outputs, task_outputs.disposed.vote_result.rows, asked))
        if np.count_nonzero(disposition.verify):
            # A verdict that came first would be revised by the label that it is about.
            yield Barrier()
            yield task_outputs.requests(disposition.verify, "verify")

    async def _requests(self, task_outputs: TaskOutputs, batch: _Batch) -> list[Emission]:
        """Requests of the tickets that the judge decides, with the tasks that wait for its label
        voted on ahead; and the letters of tickets of which these can't be written.
        """
        decide = task_outputs.disposition.decide
        deferred = [task_outputs.arrivals[row] for row in np.flatnonzero(decide).tolist()]
        followers: dict[int, list[Follower]] = {}
        letters: list[Emission] = []
        for child in self._children[task_outputs.task.name]:
            # No audit of them: whether they count at all, the judge's label of this task decides.
            sample = Sample.none(len(deferred))
            async for vote_result in _votes(child, deferred, _texts(deferred), batch):
                outputs = self._outputs(child, deferred, vote_result, sample, batch)
                self._observing.disposed(child, outputs.disposed)
                written, died = outputs.followers(_values(child))
                letters += died
                for row, follower in written:
                    followers.setdefault(int(vote_result.rows[row]), []).append(follower)
        return [*letters, *task_outputs.requests(decide, "decide", followers)]


def _meeting(task: ClassifyTask, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Those that meet the task's condition."""
    if task.condition is None:
        return list(arrivals)
    return [arrival for arrival in arrivals if task.condition.met_by(arrival)]


def _missed(
    arrivals: Sequence[Arrival], chosen: Sequence[tuple[ClassifyTask, Sequence[Arrival]]]
) -> list[Settled]:
    """Those that no task is for."""
    if all(task.condition is None for task, _ in chosen):
        return []
    met = {id(arrival) for _, own in chosen for arrival in own}
    return [
        Settled(arrival.record, "no task applies") for arrival in arrivals if id(arrival) not in met
    ]


def _votes(
    task: ClassifyTask,
    arrivals: Sequence[Arrival],
    texts: Sequence[bytes],
    batch: _Batch,
    audited: Mask | None = None,
) -> AsyncIterator[VoteResult]:
    if task.routes is None:
        return task.voting.run(texts, batch.trace, audited)
    segments = batch.named[task.routes.router].of(arrivals).segment_ids
    return task.routes.run(texts, segments, batch.trace, audited)


def _texts(arrivals: Sequence[Arrival]) -> list[bytes]:
    return [arrival.ticket.text.encode("utf-8", "replace") for arrival in arrivals]


def _whose_label(task_outputs: TaskOutputs, child: ClassifyTask) -> list[Arrival]:
    """The tickets whose label, as it is published, is one that the child is for."""
    index = task_outputs.task.label_set.index
    wanted = [index[value] for value in _values(child)]
    met = np.isin(task_outputs.disposition.published.label_ids, wanted)
    return [task_outputs.arrivals[row] for row in np.flatnonzero(met).tolist()]


def _values(child: ClassifyTask) -> tuple[str, ...]:
    return child.condition.values if child.condition else ()
