"""What classify does with a batch: read tickets, let workers vote, publish or defer."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np

from streamer.decide.disposition import Disposition
from streamer.decide.sampling import Draws, Sampling
from streamer.decide.vote_result import Mask, Provenance, Rows, VoteResult
from streamer.observe.batch_trace import BatchTrace
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.judge_request import Follower
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.door import Door
from streamer.services.classify.failing import Failing
from streamer.services.classify.publish.label_form import LabelForm
from streamer.services.classify.publish.outputs import Outputs, TaskOutputs
from streamer.services.classify.route.route_counts import begin, follow
from streamer.services.classify.route.segment_router import Names, SegmentRouter
from streamer.services.classify.task import Task
from streamer.services.classify.vote.shadows import Asked
from streamer.services.classify.vote.vote_counts import tally
from streamer.services.intake.ticket_reader import TicketReader
from streamer.services.runtime.concurrency import merge
from streamer.services.runtime.writing import Writing
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Barrier, Emission, Record, Settled

Group = Sequence[Emission | Settled]


@dataclass(frozen=True, slots=True)
class _BatchContext:
    """One batch on its way; `unlogged` waits with its rows for what the shadows say."""

    seen_ms: float
    batch_trace: BatchTrace
    closing: ExitStack
    named: Mapping[SegmentRouter, Names]
    writing: Writing
    unlogged: list[tuple[TaskOutputs, Rows, Asked]] = field(default_factory=list)


class ClassifyHandler:
    """Votes on every ticket for every task that applies to it.

    Labels that need no judge leave as soon as they are decided, the rest goes to the judge's topic.
    `source` is the input's name in every decision id; `part` says which share of the input's
    partitions is read here, `dead_at_most` which share of many records in a row may die of one
    reason (see `Failing`).
    """

    def __init__(
        self,
        source: str,
        intake: TicketReader,
        tasks: Sequence[Task],
        outputs: Outputs,
        dead_letters: DeadLetters,
        tracing: Tracing,
        metrics: Metrics,
        stratum: Sampling,
        part: Callable[[], float] = lambda: 1.0,
        dead_at_most: float = 0.5,
    ) -> None:
        self._source = source
        self._door = Door(
            source,
            intake,
            [task.name for task in tasks],
            outputs.labels,
            dead_letters,
            Failing(dead_at_most),
            tracing,
            metrics,
        )
        self._tasks = tuple(tasks)
        self._routers = {task.routes.router for task in tasks if task.routes is not None}
        for task in tasks:
            if task.routes is not None:
                begin(metrics, task.name, task.routes)
        self._forms: dict[tuple[str, tuple[Provenance, ...]], LabelForm] = {}
        self._roots = [task for task in tasks if not (task.condition and task.condition.task)]
        self._outputs = outputs
        self._dead_letters = dead_letters
        self._tracing = tracing
        self._metrics = metrics
        self._stratum = stratum
        self._part = part

    async def handle(
        self, batch: Sequence[Record]
    ) -> AsyncGenerator[Sequence[Emission | Settled] | Barrier, None]:
        """Yields dead letters first, then each task's labels and judge requests, then deletions."""
        seen_ms = time.time() * 1000
        arrivals, before, after = await self._door.read(batch, int(seen_ms * 1e6))
        if before:
            yield before
        chosen = {task.name: self._meeting(task, arrivals) for task in self._roots}
        if missed := self._missed(arrivals, chosen.values()):
            yield missed
        traces = [arrival.trace for arrival in arrivals]
        tracing = self._tracing.batch(batch[0].topic, traces, len(batch))
        with ExitStack() as closing, tracing as batch_trace:
            named = {router: self._names(router, arrivals) for router in self._routers}
            context = _BatchContext(
                seen_ms, batch_trace, closing, named, Writing(self._dead_letters)
            )
            work = [
                self._classify(task, chosen[task.name], context)
                for task in self._roots
                if chosen[task.name]
            ]
            if work:
                async for group in merge(work):
                    yield group
            if after:
                yield after
            # Last of all, so that no label and no request waits for a version on trial.
            for task_outputs, rows, asked in context.unlogged:
                votes = await asked.votes()
                yield task_outputs.logs([votes.get(row, ()) for row in rows.tolist()])
        self._metrics.batch(batch[0].topic, len(batch), time.time() - seen_ms / 1000)

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
        self, task: Task, arrivals: Sequence[Arrival], context: _BatchContext
    ) -> AsyncIterator[Group | Barrier]:
        draws = self._stratum.draws([arrival.ticket.id for arrival in arrivals], task.verify)
        audited = draws.uniform if np.count_nonzero(draws.uniform) else None
        texts = _texts(arrivals)
        asked = None
        if task.shadows is not None:
            asked = task.shadows.ask([arrival.ticket.id for arrival in arrivals], texts)
        if asked is not None:
            context.closing.callback(asked.close)
            draws = replace(draws, logged=draws.logged | asked.marks)
        if task.routes is not None:
            names = context.named[task.routes.router]
            follow(self._metrics, task.name, task.routes, arrivals, names)
        suspended = False
        async for count in self._counts(task, arrivals, texts, context, audited):
            plan = self._plan(task, count, draws)
            suspended |= plan.suspended
            some = [arrivals[row] for row in count.rows.tolist()]
            async for group in self._settle(task, some, plan, context, asked):
                yield group
            tally(self._metrics, task.name, plan)
        self._metrics.suspended(task.name, suspended)

    def _names(self, router: SegmentRouter, arrivals: Sequence[Arrival]) -> Names:
        names = router.names(arrivals)
        self._metrics.routing(names.seconds, len(arrivals))
        return names

    def _counts(
        self,
        task: Task,
        arrivals: Sequence[Arrival],
        texts: Sequence[bytes],
        context: _BatchContext,
        audited: Mask | None = None,
    ) -> AsyncIterator[VoteResult]:
        if task.routes is None:
            return task.voting.run(texts, context.batch_trace, audited)
        places = context.named[task.routes.router].of(arrivals).places
        return task.routes.run(texts, places, context.batch_trace, audited)

    async def _settle(
        self,
        task: Task,
        arrivals: Sequence[Arrival],
        plan: Disposition,
        context: _BatchContext,
        asked: Asked | None,
    ) -> AsyncIterator[Group | Barrier]:
        task_outputs = self._settling(task, arrivals, plan, context)
        for labels in task_outputs.labels(context.seen_ms):
            yield labels
        for child in self._children(task):
            if ready := _whose_label(arrivals, plan, task, child):
                async for group in self._classify(child, ready, context):
                    yield group
        if np.count_nonzero(plan.decide):
            self._metrics.deferred(task.name, plan.deferred, int(plan.decide.sum()))
            deferred = [arrivals[place] for place in np.flatnonzero(plan.decide).tolist()]
            followers, letters = await self._followers(task, deferred, context)
            yield [*letters, *task_outputs.requests(plan.decide, "decide", followers)]
        if beside := [
            *task_outputs.requests(plan.audit, "audit", {}),
            *task_outputs.reviews(),
            *(task_outputs.logs() if asked is None else ()),
        ]:
            yield beside
        if asked is not None:
            context.unlogged.append((task_outputs, plan.count.rows, asked))
        if np.count_nonzero(plan.verify):
            # A verdict that came first would be revised by the label that it is about.
            yield Barrier()
            yield task_outputs.requests(plan.verify, "verify", {})

    def _plan(self, task: Task, count: VoteResult, draws: Draws) -> Disposition:
        plan = task.policy.plan(count, draws[count.rows], time.monotonic(), self._part())
        if (budget := task.policy.budget) is not None:
            self._metrics.budget(task.name, budget.left, budget.spent)
        return plan

    def _settling(
        self, task: Task, arrivals: Sequence[Arrival], plan: Disposition, context: _BatchContext
    ) -> TaskOutputs:
        return TaskOutputs(
            self._source,
            task,
            self._form(task, plan.count.provenances),
            self._outputs,
            arrivals,
            plan,
            context.writing,
            self._metrics,
            self._tracing,
        )

    def _form(self, task: Task, provenances: tuple[Provenance, ...]) -> LabelForm:
        key = (task.name, provenances)
        if key not in self._forms:
            self._forms[key] = LabelForm(
                self._source, task.name, task.label_set, provenances, task.backfill
            )
        return self._forms[key]

    def _children(self, task: Task) -> list[Task]:
        return [
            child for child in self._tasks if child.condition and child.condition.task == task.name
        ]

    async def _followers(
        self, task: Task, arrivals: Sequence[Arrival], context: _BatchContext
    ) -> tuple[dict[int, list[Follower]], list[Emission]]:
        """Tasks that wait for the judge's label of this one, voted on ahead, by ticket; and the
        letters of tickets of which these can't be written.
        """
        followers: dict[int, list[Follower]] = {}
        letters: list[Emission] = []
        for child in self._children(task):
            # Not of the stratum: whether they count at all, the judge's label of this task decides.
            draws = Draws.none(len(arrivals))
            async for count in self._counts(child, arrivals, _texts(arrivals), context):
                some = [arrivals[row] for row in count.rows.tolist()]
                task_outputs = self._settling(child, some, self._plan(child, count, draws), context)
                made, died = task_outputs.followers(
                    child.condition.values if child.condition else ()
                )
                letters += died
                for place, follower in made:
                    followers.setdefault(int(count.rows[place]), []).append(follower)
        return followers, letters


def _texts(arrivals: Sequence[Arrival]) -> list[bytes]:
    return [arrival.ticket.text.encode("utf-8", "replace") for arrival in arrivals]


def _whose_label(
    arrivals: Sequence[Arrival], plan: Disposition, task: Task, child: Task
) -> list[Arrival]:
    values = child.condition.values if child.condition else ()
    wanted = [task.label_set.index[value] for value in values]
    places = np.flatnonzero(np.isin(plan.published.label_ids, wanted))
    return [arrivals[place] for place in places.tolist()]
