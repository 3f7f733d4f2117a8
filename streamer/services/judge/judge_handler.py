"""What the judge service does with a batch of requests: score, publish, remember."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import get_args

from streamer.errors import TicketError
from streamer.judging.judge import Judge, JudgeScores, OverBudget
from streamer.judging.usage import counted
from streamer.observe.ticket_trace import TicketTrace
from streamer.observe.tracing import Tracing
from streamer.records.judge_request import JudgeRequest, Purpose
from streamer.records.labelset import LabelSet
from streamer.records.times import rfc3339
from streamer.services.intake.plain_json import check_depth
from streamer.services.judge.fallbacks import Fallbacks
from streamer.services.judge.observing import Observing
from streamer.services.judge.publishing import Case, JudgePublisher, Results
from streamer.services.judge.recent_results import Output, RecentResults
from streamer.services.judge.verdicts import Verdicts
from streamer.services.runtime.concurrency import AsCompleted
from streamer.services.runtime.writing import Writing
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Emission, Record, Settled

Group = list[Emission | Settled]
Said = JudgeScores | TicketError | OverBudget

ROOM_AGAIN = 1.0

DEADLY = (
    "killed_the_judge",
    "the judge ended twice while it was asked about this alone; replay it once the cause is mended",
)


class JudgeHandler:
    """Judges requests, and has `publisher` write what follows from it.

    A request that is not readable, or whose label set the judge doesn't hold, becomes a dead
    letter that can be replayed; a repeated one gets what it got before.
    """

    def __init__(
        self,
        *,
        judge: Judge,
        publisher: JudgePublisher,
        dead_letters: DeadLetters,
        recent: RecentResults,
        tracing: Tracing,
        observing: Observing,
    ) -> None:
        self._judge = judge
        self._publisher = publisher
        self._dead_letters = dead_letters
        self._recent = recent
        self._tracing = tracing
        self._observing = observing

    async def handle(
        self, batch: Sequence[Record]
    ) -> AsyncGenerator[Sequence[Emission | Settled], None]:
        """Yields what needs no judging first, then each task's outcomes as they are scored."""
        seen_ms = time.time() * 1000
        cases, settled = self._read(batch, int(seen_ms * 1e6))
        if settled:
            yield settled
        with self._observing.batch(batch, cases):
            if cases:
                async for group in self._ask_all(cases, seen_ms):
                    yield group
        for case in cases:
            # Only now: what is remembered half would be republished half.
            if self._publisher.memorable(case.published):
                self._recent.keep(case.request, case.published)
        self._observing.batch_done(batch, seen_ms)

    def give_up(self, batch: Sequence[Record]) -> Group:
        """Audits that are too old to be judged: the log says so."""
        settled: Group = []
        received_ns = time.time_ns()
        for record in batch:
            request = self._request(record, settled, received_ns)
            if request is None:
                continue
            trace = self._trace(record, request, received_ns)
            if request.task in self._publisher.tasks:
                self._observing.given_up(request, trace)
                settled.append(self._publisher.given_up(record, request, trace))
            else:
                settled.append(self._dead(record, _unknown(request.task), trace))
            trace.end()
        return settled

    def set_aside(self, record: Record) -> Group:
        """A request that the engine does not survive: its dead letter."""
        settled: Group = []
        received_ns = time.time_ns()
        request = self._request(record, settled, received_ns)
        if request is not None:
            trace = self._trace(record, request, received_ns)
            settled.append(self._dead(record, TicketError(*DEADLY), trace))
            trace.end()
        return settled

    def _read(self, batch: Sequence[Record], received_ns: int) -> tuple[list[Case], Group]:
        cases: list[Case] = []
        settled: Group = []
        for record in batch:
            request = self._request(record, settled, received_ns)
            if request is None:
                continue
            recalled = self._recent.recall(request)
            trace = self._trace(record, request, received_ns)
            if recalled is None:
                cases.append(Case(record, request, trace, []))
            else:
                self._observing.repeated(request)
                settled += self._publisher.emissions(record, recalled, trace)
                trace.end()
        return cases, settled

    def _request(self, record: Record, settled: Group, received_ns: int) -> JudgeRequest | None:
        """The request in a record; None where it is none, with its dead letter in `settled`."""
        try:
            return _readable(record.value or b"")
        except TicketError as refused:
            trace = self._tracing.record(record, received_ns)
            settled.append(self._dead(record, refused, trace))
            trace.end()
            return None

    def _trace(self, record: Record, request: JudgeRequest, received_ns: int) -> TicketTrace:
        trace = self._tracing.request(record, request, received_ns=received_ns)
        trace.identify(request.ticket.id)
        return trace

    async def _ask_all(self, cases: Sequence[Case], seen_ms: float) -> AsyncIterator[Group]:
        """Ask about each by itself: no answer waits for another; what comes at once leaves so."""
        asked: AsCompleted[tuple[Case, Said]] = AsCompleted()
        for case in cases:
            asked.add(self._ask(case))
        async with aclosing(asked.results()) as results:
            async for answered in results:
                group, waiting = self._publish(answered, seen_ms)
                for case in waiting:
                    asked.add(self._ask(case))
                yield group

    async def _ask(self, case: Case) -> tuple[Case, Said]:
        request = case.request
        texts, traces = [request.ticket.text], [case.trace.trace_headers()]
        if request.task not in self._publisher.tasks:
            return case, _unknown(request.task)
        while True:
            try:
                with counted() as usage:
                    said = await self._judge.score(request.task, request.label_set, texts, traces)
                return replace(case, usage=usage), said
            except TicketError as error:
                return case, error
            except OverBudget as spent:
                if Fallbacks.stands_in(request):
                    return case, spent
            await asyncio.sleep(ROOM_AGAIN)

    def _publish(
        self, answered: Iterable[tuple[Case, Said]], seen_ms: float
    ) -> tuple[Group, list[Case]]:
        """What follows from some answers, and who must be judged because of them."""
        group: Group = []
        waiting: list[Case] = []
        alike: dict[tuple[str, str, str | None], list[tuple[Case, JudgeScores]]] = defaultdict(list)
        spared: dict[tuple[str, str], list[Case]] = defaultdict(list)
        for case, scores in answered:
            if isinstance(scores, TicketError):
                letter = self._dead(case.record, scores, case.trace)
                case.published.append(Output(letter.topic, letter.key or b"", letter.value or b""))
                group.append(letter)
            elif isinstance(scores, OverBudget):
                spared[case.request.task, case.request.label_set].append(case)
            else:
                asked = case.request
                alike[asked.task, asked.label_set, asked.backfill].append((case, scores))
        writing = Writing(self._dead_letters)
        for pairs in alike.values():
            cases, verdicts = self._verdicts(pairs)
            self._observing.leaving(cases, verdicts, seen_ms)
            group += self._publisher.publish(cases, verdicts, writing)
            waiting += _waiting(cases, verdicts)
        for cases in spared.values():
            fallbacks = self._fallbacks(cases)
            self._observing.fallen_back(cases, fallbacks, seen_ms)
            group += self._publisher.publish(cases, fallbacks, writing)
            waiting += _waiting(cases, fallbacks)
        return group, waiting

    def _fallbacks(self, cases: Sequence[Case]) -> Fallbacks:
        """For cases of one task and label set."""
        task, label_set = cases[0].request.task, cases[0].request.label_set
        requests = [case.request for case in cases]
        at = rfc3339(int(time.time() * 1000))
        known = self._label_set(task, label_set)
        return Fallbacks(self._publisher.tasks[task], known, requests, at)

    def _verdicts(self, pairs: Sequence[tuple[Case, JudgeScores]]) -> tuple[list[Case], Verdicts]:
        """Cases of one task and label set, and what the judge said of them."""
        cases = [case for case, _ in pairs]
        task, label_set = cases[0].request.task, cases[0].request.label_set
        return cases, Verdicts(
            self._publisher.tasks[task],
            self._label_set(task, label_set),
            self._judge.version(task, label_set),
            [case.request for case in cases],
            JudgeScores.joined([scores for _, scores in pairs]),
            rfc3339(int(time.time() * 1000)),
        )

    def _label_set(self, task: str, version: str) -> LabelSet:
        return next(held for held in self._judge.label_sets(task) if held.version == version)

    def _dead(self, record: Record, error: TicketError, trace: TicketTrace) -> Emission:
        trace.failed(error.reason)
        headers = trace.headers(self._dead_letters.topic)
        return self._dead_letters.emission(record, error, headers)


def _readable(value: bytes) -> JudgeRequest:
    """The request; raises `TicketError` also where it could not be written into a review."""
    try:
        request = JudgeRequest.from_json(value)
    except ValueError as error:
        raise TicketError("unreadable_request", str(error)) from None
    # A purpose of a later release would be taken for one of these.
    if request.purpose not in get_args(Purpose):
        raise TicketError("unreadable_request", f"purpose is none of {get_args(Purpose)}")
    for written in (request, *(follower.request for follower in request.followers)):
        if written is not None:
            check_depth(value, written.ticket.fields)
    return request


def _unknown(task: str) -> TicketError:
    return TicketError("unknown_task", f"no task {task[:200]!r} is configured")


def _waiting(cases: Sequence[Case], results: Results) -> list[Case]:
    """The followers that must be judged too, now that their condition is met."""
    return [
        replace(case, request=follower.request)
        for case, label in zip(cases, results.labels, strict=True)
        if case.request.purpose != "audit"
        for follower in case.request.followers
        if follower.request is not None and label.label in follower.labels
    ]
