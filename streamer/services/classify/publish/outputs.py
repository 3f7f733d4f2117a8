"""Publishes what was decided: labels, judge requests, audits, reviews and the log."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np

from streamer.decide.disposition import PublishedGroup
from streamer.decide.vote_result import Mask, Provenance
from streamer.records.judge_request import Follower, Purpose
from streamer.records.label import Label, Source, label_key
from streamer.records.log import ShadowVote, log_json
from streamer.records.review import Review
from streamer.records.times import rfc3339
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.disposed import Disposed
from streamer.services.classify.publish.ballots import Ballots
from streamer.services.classify.publish.label_form import LabelForm
from streamer.services.classify.publish.logs import Logs
from streamer.services.classify.publish.requests import Requests
from streamer.services.classify.task import ClassifyTask
from streamer.services.runtime.writing import Writing
from streamer.stream.handler import Emission


@dataclass(frozen=True, slots=True)
class Outputs:
    """The topics that a ticket may lead to."""

    labels: str
    judge: str
    audit: str
    review: str
    log: str


class OutputWriter:
    """Makes the records of tickets from the input called `source`, for these topics."""

    def __init__(self, source: str, topics: Outputs) -> None:
        self.source = source
        self.topics = topics
        self._forms: dict[tuple[str, tuple[Provenance, ...]], LabelForm] = {}

    def form(self, task: ClassifyTask, provenances: tuple[Provenance, ...]) -> LabelForm:
        """The form of a task's labels, which remembers what it wrote before."""
        form = self._forms.get((task.name, provenances))
        if form is None:
            form = LabelForm(self.source, task.name, task.label_set, provenances, task.backfill)
            self._forms[task.name, provenances] = form
        return form


class TaskOutputs:
    """Some tickets of one task on their way out; `arrivals` are those `disposed` of, in that
    order. `ballots` are the votes with a say, `now_ms` is when the labels were decided, and
    `created_ms` [N] are the tickets' own times, NaN where none is known.
    """

    def __init__(
        self,
        writer: OutputWriter,
        task: ClassifyTask,
        arrivals: Sequence[Arrival],
        disposed: Disposed,
        writing: Writing,
    ) -> None:
        self.task = task
        self.arrivals = arrivals
        self.disposed = disposed
        self.disposition = disposed.disposition
        self.ballots = Ballots(disposed.vote_result.worker_votes, task.label_set)
        self.now_ms = time.time() * 1000
        self.created_ms = np.array([arrival.created_ms for arrival in arrivals])
        self._source = writer.source
        self._topics = writer.topics
        self._form = writer.form(task, disposed.vote_result.provenances)
        self._writing = writing
        self._now = rfc3339(int(self.now_ms))

    def labels(self) -> Iterator[list[Emission]]:
        """The labels that are published now, by how they are."""
        for group in self.disposition.groups():
            write = partial(self._labels, group)
            yield self._writing.all(self.arrivals, group.rows.tolist(), write)

    def requests(
        self,
        marks: Mask,
        purpose: Purpose,
        followers: Mapping[int, Sequence[Follower]] = MappingProxyType({}),
    ) -> list[Emission]:
        """Judge requests for the marked tickets; `followers` by their rows among these."""
        marked = np.flatnonzero(marks).tolist()
        if not marked:
            return []
        behind = {marked[number]: waiting for number, waiting in followers.items()}
        requests = Requests(self._source, self.task, self.disposed, self.ballots)
        topic = self._topics.audit if purpose == "audit" else self._topics.judge

        def emission(row: int, arrival: Arrival) -> Emission:
            headers = arrival.trace.headers(topic)
            context, waiting = _traceparent(headers), behind.get(row, ())
            request = requests.make(arrival, row, purpose, context, waiting)
            key = label_key(arrival.ticket.id, self.task.name)
            return Emission(arrival.record, topic, key, request.to_json(), headers)

        return self._each(marked, emission)

    def followers(self, values: Sequence[str]) -> tuple[list[tuple[int, Follower]], list[Emission]]:
        """By row, each ticket's label or request for a judge's label of another task among
        `values`; and the letters of those that can't be written.
        """
        write = partial(self._followers, tuple(values))
        written = self._writing.all(self.arrivals, range(len(self.arrivals)), write)
        letters = [item for item in written if isinstance(item, Emission)]
        return [item for item in written if not isinstance(item, Emission)], letters

    def _followers(
        self, values: tuple[str, ...], rows: Sequence[int]
    ) -> list[tuple[int, Follower]]:
        followers = []
        requests = Requests(self._source, self.task, self.disposed, self.ballots)
        labels = self._written(rows, "workers", True)
        for row, label in zip(rows, labels, strict=True):
            if self.disposition.decide[row]:
                arrival = self.arrivals[row]
                request = requests.make(arrival, row, "decide", arrival.trace.traceparent)
                followers.append((row, Follower(values, request=request)))
            else:
                followers.append((row, Follower(values, label=self._label(label, row))))
        return followers

    def logs(self, shadows: Sequence[tuple[ShadowVote, ...]] | None = None) -> list[Emission]:
        """The log of the tickets that were drawn for it, with what `shadows` said of each."""
        logged = np.flatnonzero(self.disposed.sample.logged).tolist()
        if not logged:
            return []
        vote_result = self.disposed.vote_result
        all_votes = (*vote_result.worker_votes, *vote_result.audit_votes)
        ballots = Ballots(all_votes, self.task.label_set)
        logs = Logs(self._source, self.task, self.disposed, ballots, self._now)

        def emission(row: int, arrival: Arrival) -> Emission:
            log = logs.make(arrival, row, () if shadows is None else shadows[row])
            return self._emission(arrival, self._topics.log, log_json(log))

        return self._each(logged, emission)

    def reviews(self) -> list[Emission]:
        """The tickets that a person is asked about as a sample of the truth."""

        gold = np.flatnonzero(self.disposed.sample.gold).tolist()
        if not gold:
            return []

        def emission(row: int, arrival: Arrival) -> Emission:
            review = self._review(arrival, row)
            return self._emission(arrival, self._topics.review, review.to_json())

        return self._each(gold, emission)

    def _each(
        self, rows: Sequence[int], emission: Callable[[int, Arrival], Emission]
    ) -> list[Emission]:
        def write(rows: Sequence[int]) -> list[Emission]:
            return [emission(row, self.arrivals[row]) for row in rows]

        return self._writing.all(self.arrivals, rows, write)

    def _emission(self, arrival: Arrival, topic: str, value: bytes) -> Emission:
        headers, key = arrival.trace.headers(topic), label_key(arrival.ticket.id, self.task.name)
        return Emission(arrival.record, topic, key, value, headers)

    def _labels(self, group: PublishedGroup, rows: Sequence[int]) -> list[Emission]:
        labels = self._written(rows, group.source, group.final)
        topic = self._topics.labels
        return [
            self._emission(self.arrivals[row], topic, label)
            for row, label in zip(rows, labels, strict=True)
        ]

    def _written(self, rows: Sequence[int], source: Source, final: bool) -> list[bytes]:
        """The labels of the tickets in these rows as JSON."""
        arrivals, ballots, published = self.arrivals, self.ballots, self.disposition.published
        rule_index = self.disposed.vote_result.rule_index
        if len(rows) < len(arrivals):
            picked = np.array(rows, np.int64)
            published, ballots, rule_index = published[picked], ballots[picked], rule_index[picked]
            arrivals = [arrivals[row] for row in rows]
        return self._form.write(arrivals, published, ballots, rule_index, source, final, self._now)

    def _label(self, written: bytes, row: int) -> Label:
        label = Label.from_json(written)
        return replace(label, source="fallback") if self.disposition.fallback[row] else label

    def _review(self, arrival: Arrival, row: int) -> Review:
        task = self.task
        label_id = int(self.disposition.published.label_ids[row])
        return Review(
            ticket=arrival.ticket,
            task=task.name,
            labels=task.label_set.labels,
            label_set=task.label_set.version,
            reason="gold",
            label=task.label_set.labels[label_id] if label_id >= 0 else None,
            confidence=None,
            votes=self.ballots.votes_on(row),
            judge=None,
            decision_id=arrival.decision_id(task.name),
            position=arrival.position(self._source),
            at=self._now,
        )


def _traceparent(headers: Sequence[tuple[str, bytes]]) -> str:
    return next(value.decode() for name, value in headers if name == "traceparent")
