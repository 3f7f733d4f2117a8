"""Publishes what the judge said: labels, reviews and the log."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.judging.usage import Usage
from streamer.observe.ticket_trace import TicketTrace
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label, label_key
from streamer.records.log import VerdictLog, log_json
from streamer.records.review import Review
from streamer.records.times import rfc3339
from streamer.services.judge.judge_task import JudgeTask
from streamer.services.judge.recent_results import Output
from streamer.services.runtime.writing import Writing
from streamer.stream.handler import Emission, Record


@dataclass(frozen=True, slots=True)
class Case:
    """A request and the record that it came with, alone or as the follower of another.

    `published` collects what the record led to, for itself and its followers. Once it is judged,
    `usage` has the tokens that it took.
    """

    record: Record
    request: JudgeRequest
    trace: TicketTrace
    published: list[Output]
    usage: Usage | None = None


Drawn = Callable[[Sequence[str]], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class JudgeOutputs:
    """The topics that a request may lead to."""

    labels: str
    review: str
    log: str


class Results(Protocol):
    """What came of N requests of one task and label set; methods take a request's row."""

    @property
    def labels(self) -> Sequence[Label]:
        """Those that stand, whether or not they are published."""

    def published(self, row: int) -> Label | None:
        """The label, where it is published."""

    def review(self, row: int) -> Review | None:
        """The question to a person, where there is one."""

    def log(self, row: int) -> VerdictLog:
        """What the log says of it."""


class JudgePublisher:
    """Turns results into records.

    `logged` draws tickets for the log by their ids; those of the uniform sample and audits are
    logged in any case.
    """

    def __init__(
        self, outputs: JudgeOutputs, tasks: Mapping[str, JudgeTask], logged: Drawn
    ) -> None:
        self._outputs = outputs
        self._logged = logged
        self.tasks = tasks

    def publish(self, cases: Sequence[Case], results: Results, writing: Writing) -> list[Emission]:
        """What the cases lead to: labels and reviews with their followers, and the log.

        They are of one task, label set and backfill. A backfill's are not logged: the log is about
        tickets as they come.
        """
        emissions: list[Emission] = []
        live = cases[0].request.backfill is None
        logged = self._logged([case.request.ticket.id for case in cases]).tolist()

        def write(rows: Sequence[int]) -> list[tuple[Case, list[Output]]]:
            return [
                (cases[row], self._outputs_of(cases[row], results, row, live, logged[row]))
                for row in rows
            ]

        for written in writing.all(cases, range(len(cases)), write):
            if isinstance(written, Emission):
                emissions.append(written)
                # It is replayed to be judged: what was said before must not be all.
                letter = Output(written.topic, written.key or b"", written.value or b"")
                case = next(case for case in cases if case.record is written.record)
                case.published.append(letter)
            else:
                case, outputs = written
                case.published.extend(outputs)
                emissions += self.emissions(case.record, outputs, case.trace)
        return emissions

    def _outputs_of(
        self, case: Case, results: Results, row: int, live: bool, logged: bool
    ) -> list[Output]:
        outputs = list(self._outcome(case, results, row))
        if live and (logged or case.request.uniform or case.request.purpose == "audit"):
            outputs.append(self._log(results.log(row)))
        return outputs

    def memorable(self, published: Sequence[Output]) -> bool:
        """Whether to remember it for a repeat.

        A review holds the whole ticket, and is too much. A dead letter, of a follower too, is
        replayed to be judged.
        """
        kept = (self._outputs.labels, self._outputs.log)
        return bool(published) and all(item.topic in kept for item in published)

    def emissions(
        self, record: Record, outputs: Sequence[Output], trace: TicketTrace
    ) -> list[Emission]:
        """What a request leads to, or led to before."""
        return [Emission(record, *output, trace.headers(output.topic)) for output in outputs]

    def given_up(self, record: Record, request: JudgeRequest, trace: TicketTrace) -> Emission:
        """The log of an audit that the judge had no time for."""
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

    def _outcome(self, case: Case, results: Results, row: int) -> Iterator[Output]:
        request, label = case.request, results.labels[row]
        if request.purpose == "audit":
            return
        if results.published(row) is not None:
            yield self._label(label)
        review = results.review(row)
        if review is not None:
            yield Output(self._outputs.review, review.key, review.to_json())
        # Also where a person is asked: dropped followers would be left without any outcome.
        for follower in request.followers:
            if follower.label is not None and label.label in follower.labels:
                yield self._label(follower.label)

    def _label(self, label: Label) -> Output:
        return Output(self._outputs.labels, label.key, label.to_json())

    def _log(self, log: VerdictLog) -> Output:
        return Output(self._outputs.log, label_key(log.ticket_id, log.task), log_json(log))
