"""What the judge service does with a batch of requests: score, publish, remember."""

import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from streamer.errors import TicketError
from streamer.judging.judge import Judge
from streamer.observe.metrics import Metrics
from streamer.observe.ticket_trace import TicketTrace
from streamer.observe.tracing import Tracing
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from streamer.services.intake import milliseconds, rfc3339
from streamer.services.memory import Memory
from streamer.services.merge import merge
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.emission import Emission, Settled
from streamer.stream.record import Record

DIGITS = 5

Group = list[Emission | Settled]


@dataclass(frozen=True, slots=True)
class Case:
    """A request under judgement.

    `published` collects the labels of the record that it came with: its own and its followers'.
    """

    record: Record
    request: JudgeRequest
    trace: TicketTrace
    published: list[Label]


class JudgeHandler:
    """Judges requests and publishes final labels with source `judge`.

    A request that is not readable, or whose label set the judge doesn't hold, becomes a dead
    letter that can be replayed; a repeated one gets the labels published before.
    """

    def __init__(
        self,
        judge: Judge,
        labels_topic: str,
        dead_letters: DeadLetters,
        memory: Memory,
        tracing: Tracing,
        metrics: Metrics,
    ) -> None:
        self._judge = judge
        self._labels_topic = labels_topic
        self._dead_letters = dead_letters
        self._memory = memory
        self._tracing = tracing
        self._metrics = metrics

    async def handle(
        self, batch: Sequence[Record]
    ) -> AsyncGenerator[Sequence[Emission | Settled], None]:
        """Yields what needs no judging first, then each task's labels as they are scored."""
        seen_ms = time.time() * 1000
        cases, settled = self._read(batch, int(seen_ms * 1e6))
        if settled:
            yield settled
        traces = [case.trace for case in cases]
        with self._tracing.batch(batch[0].topic, traces, len(batch)):
            if cases:
                async for group in self._settle(cases, seen_ms):
                    yield group
        for case in cases:
            # Only now: what is remembered half would be republished half.
            self._memory.keep(case.request.decision_id, case.request.revision, case.published)
        self._metrics.batch(batch[0].topic, time.time() - seen_ms / 1000)

    def _read(self, batch: Sequence[Record], received_ns: int) -> tuple[list[Case], Group]:
        cases: list[Case] = []
        settled: Group = []
        for record in batch:
            try:
                request = JudgeRequest.from_json(record.value or b"")
            except (ValueError, TypeError, KeyError) as error:
                refused = TicketError("unreadable_request", type(error).__name__)
                settled.append(self._dead(record, refused))
                continue
            known = self._memory.recall(request.decision_id, request.revision)
            if known is None:
                cases.append(Case(record, request, self._trace(record, request, received_ns), []))
            else:
                self._metrics.republished(request.task)
                settled += [self._again(record, label) for label in known]
        return cases, settled

    def _trace(self, record: Record, request: JudgeRequest, received_ns: int) -> TicketTrace:
        trace = self._tracing.request(record, request, received_ns=received_ns)
        trace.identify(request.ticket.id)
        return trace

    async def _settle(self, cases: Sequence[Case], seen_ms: float) -> AsyncIterator[Group]:
        groups: dict[tuple[str, str], list[Case]] = defaultdict(list)
        for case in cases:
            groups[case.request.task, case.request.label_set].append(case)
        work = [self._score(some, seen_ms) for some in groups.values()]
        async for group in merge(work):
            yield group

    async def _score(self, cases: Sequence[Case], seen_ms: float) -> AsyncIterator[Group]:
        task, label_set = cases[0].request.task, cases[0].request.label_set
        texts = [case.request.ticket.text for case in cases]
        traces = [case.trace.trace_headers() for case in cases]
        try:
            verdicts = await self._judge.score(task, label_set, texts, traces)
        except TicketError as error:
            for case in cases:
                case.trace.failed(error.reason)
            yield [self._dead(case.record, error) for case in cases]
            return
        names = self._labels_of(task, label_set)
        codes = verdicts.probabilities.argmax(axis=1)
        sure = verdicts.probabilities[np.arange(len(codes)), codes].astype(np.float64)
        version = self._judge.version(task, label_set)
        decided_at = rfc3339(int(time.time() * 1000))
        made = [
            _label(case.request, names[code], round(confidence, DIGITS), version, decided_at)
            for case, code, confidence in zip(cases, codes.tolist(), sure.tolist(), strict=True)
        ]
        yield self._publish(task, cases, made, seen_ms)
        waiting = [
            waiter
            for case, label in zip(cases, made, strict=True)
            for waiter in self._waiting(case, label)
        ]
        if waiting:
            async for group in self._settle(waiting, seen_ms):
                yield group

    def _publish(
        self, task: str, cases: Sequence[Case], made: Sequence[Label], seen_ms: float
    ) -> Group:
        group: Group = []
        for case, label in zip(cases, made, strict=True):
            case.trace.decided(task, label.label, "judge", rule=label.rule, votes=label.votes)
            ready = [label, *_agreed_followers(case.request, label)]
            case.published.extend(ready)
            group += [self._emission(case, item) for item in ready]
        created = np.array([milliseconds(label.created_at) or seen_ms for label in made])
        self._metrics.labels(task, "judge", created, seen_ms, time.time() * 1000)
        return group

    def _waiting(self, case: Case, label: Label) -> list[Case]:
        return [
            replace(case, request=follower.request)
            for follower in case.request.followers
            if follower.request is not None and label.label in follower.labels
        ]

    def _labels_of(self, task: str, label_set: str) -> tuple[str, ...]:
        held = self._judge.label_sets(task)
        return next(known.labels for known in held if known.version == label_set)

    def _emission(self, case: Case, label: Label) -> Emission:
        headers = case.trace.headers(self._labels_topic)
        return Emission(case.record, self._labels_topic, label.key, label.to_json(), headers)

    def _again(self, record: Record, label: Label) -> Emission:
        headers = [item for item in record.headers if item[0] == "traceparent"]
        return Emission(record, self._labels_topic, label.key, label.to_json(), headers)

    def _dead(self, record: Record, error: TicketError) -> Emission:
        self._metrics.dead(error.reason)
        return self._dead_letters.emission(record, error)


def _label(
    request: JudgeRequest, name: str, confidence: float, version: str, decided_at: str
) -> Label:
    return Label(
        ticket_id=request.ticket.id,
        task=request.task,
        label=name,
        confidence=confidence,
        source="judge",
        revision=request.revision,
        final=True,
        votes=request.ballot.votes,
        rule=request.rule,
        calibration=None,
        label_set=request.label_set,
        decision_id=request.decision_id,
        position=request.position,
        created_at=request.created_at,
        decided_at=decided_at,
        judge=version,
    )


def _agreed_followers(request: JudgeRequest, label: Label) -> list[Label]:
    return [
        follower.label
        for follower in request.followers
        if follower.label is not None and label.label in follower.labels
    ]
