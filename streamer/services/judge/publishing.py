"""Publishes what the judge said: labels, reviews and the log."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.observe.metrics import Metrics
from streamer.observe.slowest import Milliseconds
from streamer.observe.ticket_trace import TicketTrace
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label, label_key
from streamer.records.log import VerdictLog, log_json
from streamer.records.times import milliseconds, rfc3339
from streamer.services.judge.fidelity import LiveFidelity
from streamer.services.judge.judge_task import JudgeTask
from streamer.services.judge.recent_results import Output
from streamer.services.judge.verdicts import Verdicts
from streamer.services.runtime.writing import Writing
from streamer.stream.handler import Emission, Record


@dataclass(frozen=True, slots=True)
class Case:
    """A request and the record that it came with, alone or as the follower of another.

    `published` collects what the record led to, for itself and its followers.
    """

    record: Record
    request: JudgeRequest
    trace: TicketTrace
    published: list[Output]


Drawn = Callable[[Sequence[str]], NDArray[np.bool_]]
Slow = Callable[[str, Milliseconds], Sequence[int]]


@dataclass(frozen=True, slots=True)
class JudgeOutputs:
    """The topics that a request may lead to."""

    labels: str
    review: str
    log: str


class JudgePublisher:
    """Turns verdicts into records, and counts them.

    `logged` draws tickets for the log by their ids; those of the uniform stratum and audits are
    logged in any case. `slow` picks of a task's latencies [N], in milliseconds, those to follow.
    """

    def __init__(
        self,
        outputs: JudgeOutputs,
        tasks: Mapping[str, JudgeTask],
        logged: Drawn,
        metrics: Metrics,
        slow: Slow,
    ) -> None:
        self._outputs = outputs
        self._logged = logged
        self._slow = slow
        self._metrics = metrics
        self._fidelity = LiveFidelity(metrics)
        self.tasks = tasks

    def publish(
        self, cases: Sequence[Case], verdicts: Verdicts, writing: Writing, seen_ms: float
    ) -> list[Emission]:
        """What the cases lead to: labels and reviews with their followers, and the log.

        They are of one task, label set and backfill. A backfill's are neither logged nor counted:
        the log and the figures are about tickets as they come.
        """
        made: list[Emission] = []
        live = cases[0].request.backfill is None
        if live:
            self._follow(cases, verdicts)
        drawn = self._logged([case.request.ticket.id for case in cases]).tolist()

        def write(places: Sequence[int]) -> list[tuple[Case, list[Output]]]:
            return [
                (cases[place], self._outputs_of(cases[place], verdicts, place, live, drawn[place]))
                for place in places
            ]

        for found in writing.all(cases, range(len(cases)), write):
            if isinstance(found, Emission):
                made.append(found)
                # It is replayed to be judged: what was said before must not be all.
                letter = Output(found.topic, found.key or b"", found.value or b"")
                next(case for case in cases if case.record is found.record).published.append(letter)
            else:
                case, outputs = found
                case.published.extend(outputs)
                made += [self._emission(case, output) for output in outputs]
        if live:
            self._count(cases, verdicts, seen_ms)
        return made

    def _outputs_of(
        self, case: Case, verdicts: Verdicts, place: int, live: bool, drawn: bool
    ) -> list[Output]:
        outputs = list(self._outcome(case, verdicts, place))
        if live and (drawn or case.request.uniform or case.request.purpose == "audit"):
            outputs.append(self._log(verdicts.log(place)))
        return outputs

    def _follow(self, cases: Sequence[Case], verdicts: Verdicts) -> None:
        """Have corrected labels and the slowest tickets followed, though not sampled."""
        now_ms, task = time.time() * 1000, cases[0].request.task
        asked = [case.request for case in cases]
        ms = np.array([now_ms - (milliseconds(one.created_at) or now_ms) for one in asked])
        urgent = [place for place, one in enumerate(asked) if one.purpose != "audit"]
        for place in self._slow(task, ms[urgent]):
            case, took = cases[urgent[place]], float(ms[urgent[place]])
            case.trace.late("slow", case.request.ticket.id, took)
        for place, case in enumerate(cases):
            label = verdicts.published(place)
            if label is not None and label.verdict == "corrected":
                case.trace.late("corrected", label.ticket_id, float(ms[place]))

    def memorable(self, published: Sequence[Output]) -> bool:
        """Whether to remember it for a repeat.

        A review holds the whole ticket, and is too much. A dead letter, of a follower too, is
        replayed to be judged.
        """
        kept = (self._outputs.labels, self._outputs.log)
        return bool(published) and all(item.topic in kept for item in published)

    def again(self, record: Record, known: Sequence[Output], trace: TicketTrace) -> list[Emission]:
        """What a request led to before."""
        return [Emission(record, *output, trace.headers(output.topic)) for output in known]

    def given_up(self, record: Record, request: JudgeRequest, trace: TicketTrace) -> Emission:
        """The log of an audit that the judge had no time for."""
        self._metrics.given_up(request.task)
        trace.deferred(request.task, "too_late", step="judge")
        log = VerdictLog(
            decision_id=request.decision_id,
            ticket_id=request.ticket.id,
            task=request.task,
            label_set=request.label_set,
            at=rfc3339(int(time.time() * 1000)),
            purpose=request.purpose,
            uniform=request.uniform,
            judge=None,
            vector=None,
            candidate=request.candidate,
            after=self.tasks[request.task].after,
            published=None,
            source=None,
            missing="too_late",
        )
        return Emission(record, *self._log(log), trace.headers(self._outputs.log))

    def _outcome(self, case: Case, verdicts: Verdicts, place: int) -> Iterator[Output]:
        request, label = case.request, verdicts.labels[place]
        if request.purpose == "audit":
            return
        if verdicts.published(place) is not None:
            yield self._label(label)
            _trace(case, label)
        review = verdicts.review(place)
        if review is not None:
            case.trace.deferred(review.task, review.reason, step="judge")
            yield Output(self._outputs.review, review.key, review.to_json())
        # Also where a person is asked: dropped followers would be left without any outcome.
        for follower in request.followers:
            if follower.label is not None and label.label in follower.labels:
                yield self._label(follower.label)

    def _label(self, label: Label) -> Output:
        return Output(self._outputs.labels, label.key, label.to_json())

    def _log(self, log: VerdictLog) -> Output:
        return Output(self._outputs.log, label_key(log.ticket_id, log.task), log_json(log))

    def _emission(self, case: Case, output: Output) -> Emission:
        return Emission(case.record, *output, case.trace.headers(output.topic))

    def _count(self, cases: Sequence[Case], verdicts: Verdicts, seen_ms: float) -> None:
        task, metrics, now_ms = cases[0].request.task, self._metrics, time.time() * 1000
        by_source: dict[str, list[float]] = defaultdict(list)
        requests = [case.request for case in cases]
        for place, request in enumerate(requests):
            metrics.judged(task, request.purpose)
            if verdicts.review(place) is not None:
                metrics.reviewed(task, "unsure")
            label = verdicts.published(place)
            if label is not None:
                metrics.published(task, label.label)
                by_source[label.source].append(milliseconds(label.created_at) or seen_ms)
                if label.verdict is not None:
                    metrics.verified(task, label.verdict)
        for source, created in by_source.items():
            metrics.labels(task, source, np.array(created), seen_ms, now_ms)
        self._fidelity.look(task, requests, verdicts)


def _trace(case: Case, label: Label) -> None:
    case.trace.decided(
        label.task, label.label, label.source, rule=label.rule, votes=label.votes, step="judge"
    )
