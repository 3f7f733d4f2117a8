"""Publishes what was planned: labels, judge requests, audits, reviews and the log."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from streamer.decide.disposition import Disposition, PublishedGroup
from streamer.decide.vote_result import Mask
from streamer.observe.metrics import Metrics
from streamer.observe.slowest import Milliseconds
from streamer.observe.tracing import Tracing
from streamer.records.judge_request import Follower, Purpose
from streamer.records.label import Label, Source, label_key
from streamer.records.log import ShadowVote, log_json
from streamer.records.review import Review
from streamer.records.times import rfc3339
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.publish.ballots import Ballots
from streamer.services.classify.publish.label_form import LabelForm
from streamer.services.classify.publish.logs import Logs
from streamer.services.classify.publish.requests import Requests
from streamer.services.classify.task import Task
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


class TaskOutputs:
    """One count of one task on its way out; `arrivals` are the counted tickets, in its order."""

    def __init__(
        self,
        source: str,
        task: Task,
        form: LabelForm,
        outputs: Outputs,
        arrivals: Sequence[Arrival],
        plan: Disposition,
        writing: Writing,
        metrics: Metrics,
        tracing: Tracing,
    ) -> None:
        self._source = source
        self._task = task
        self._form = form
        self._outputs = outputs
        self._arrivals = arrivals
        self._plan = plan
        self._writing = writing
        self._metrics = metrics
        self._tracing = tracing
        self._ballots = Ballots(plan.count.worker_votes, task.label_set)
        self._now_ms = time.time() * 1000
        self._requests = Requests(source, task, plan, self._ballots)

    def labels(self, seen_ms: float) -> Iterator[list[Emission]]:
        """The labels that are published now."""
        for part in self._plan.parts():
            places = part.places.tolist()
            created = np.array([self._arrivals[place].created_ms for place in places])
            self._metrics.labels(self._task.name, part.source, created, seen_ms, self._now_ms)
            self._follow_slow(places, np.nan_to_num(self._now_ms - created))
            self._count_labels(part)
            yield self._writing.all(self._arrivals, places, partial(self._labels, part))

    def requests(
        self, marks: Mask, purpose: Purpose, followers: Mapping[int, Sequence[Follower]]
    ) -> list[Emission]:
        """Judge requests for the marked tickets; `followers` by their places among these."""
        marked = np.flatnonzero(marks).tolist()
        behind = {marked[at]: found for at, found in followers.items()}

        def write(places: Sequence[int]) -> list[Emission]:
            return [self._request(place, purpose, behind.get(place, ())) for place in places]

        return self._writing.all(self._arrivals, marked, write)

    def _request(self, place: int, purpose: Purpose, followers: Sequence[Follower]) -> Emission:
        topic = self._outputs.audit if purpose == "audit" else self._outputs.judge
        arrival = self._arrivals[place]
        if purpose == "decide" and arrival.trace.sampled:
            votes = self._ballots.votes_on(place)
            arrival.trace.deferred(self._task.name, self._plan.deferred, votes=votes)
        headers = arrival.trace.headers(topic)
        context = _traceparent(headers)
        value = self._requests.make(arrival, place, purpose, context, followers).to_json()
        return Emission(arrival.record, topic, self._key(arrival), value, headers)

    def followers(self, values: Sequence[str]) -> tuple[list[tuple[int, Follower]], list[Emission]]:
        """By place, each ticket's label or request for a judge's label of another task among
        `values`; and the letters of those that can't be written.
        """
        write = partial(self._followers, tuple(values))
        made = self._writing.all(self._arrivals, range(len(self._arrivals)), write)
        letters = [one for one in made if isinstance(one, Emission)]
        return [one for one in made if not isinstance(one, Emission)], letters

    def _followers(
        self, values: tuple[str, ...], places: Sequence[int]
    ) -> list[tuple[int, Follower]]:
        found = []
        written = self._written(places, "workers", True)
        for place, value in zip(places, written, strict=True):
            if self._plan.decide[place]:
                arrival = self._arrivals[place]
                context = arrival.trace.traceparent
                made = self._requests.make(arrival, place, "decide", context)
                found.append((place, Follower(values, request=made)))
            else:
                found.append((place, Follower(values, label=self._label(value, place))))
        return found

    def logs(self, shadows: Sequence[tuple[ShadowVote, ...]] | None = None) -> list[Emission]:
        """The log of the tickets that were drawn for it, with what `shadows` said of each."""
        if not np.count_nonzero(self._plan.draws.logged):
            return []
        count = self._plan.count
        audited = Ballots((*count.worker_votes, *count.audit_votes), self._task.label_set)
        logs = Logs(self._source, self._task, self._plan, audited, self._now)

        def write(place: int, arrival: Arrival) -> bytes:
            return log_json(logs.make(arrival, place, () if shadows is None else shadows[place]))

        return self._each(self._plan.draws.logged, self._outputs.log, write)

    def reviews(self) -> list[Emission]:
        """The tickets that a person is asked about as a sample of the truth."""

        def write(place: int, arrival: Arrival) -> bytes:
            return self._review(arrival, place).to_json()

        return self._each(self._plan.draws.gold, self._outputs.review, write)

    def _each(
        self, marks: Mask, topic: str, value: Callable[[int, Arrival], bytes]
    ) -> list[Emission]:
        def write(places: Sequence[int]) -> list[Emission]:
            return [self._emission(place, topic, value) for place in places]

        return self._writing.all(self._arrivals, np.flatnonzero(marks).tolist(), write)

    def _emission(self, place: int, topic: str, value: Callable[[int, Arrival], bytes]) -> Emission:
        arrival = self._arrivals[place]
        written, headers = value(place, arrival), arrival.trace.headers(topic)
        return Emission(arrival.record, topic, self._key(arrival), written, headers)

    @property
    def _now(self) -> str:
        return rfc3339(int(self._now_ms))

    def _key(self, arrival: Arrival) -> bytes:
        return label_key(arrival.ticket.id, self._task.name)

    def _labels(self, part: PublishedGroup, places: Sequence[int]) -> list[Emission]:
        values = self._written(places, part.source, part.final)
        some = [self._arrivals[place] for place in places]
        for place, arrival in zip(places, some, strict=True):
            if arrival.trace.sampled:
                self._trace(arrival, part, place)
        topic = self._outputs.labels
        return [
            Emission(arrival.record, topic, self._key(arrival), value, arrival.trace.headers(topic))
            for arrival, value in zip(some, values, strict=True)
        ]

    def _written(self, places: Sequence[int], source: Source, final: bool) -> list[bytes]:
        """The labels of the tickets at these places as JSON."""
        published, ballots, which = self._plan.published, self._ballots, self._plan.count.which
        some = self._arrivals
        if len(places) < len(some):
            rows = np.array(places, np.int64)
            published, ballots, which = published[rows], ballots[rows], which[rows]
            some = [self._arrivals[place] for place in places]
        return self._form.write(some, published, ballots, which, source, final, self._now)

    def _follow_slow(self, places: Sequence[int], ms: Milliseconds) -> None:
        for at in self._tracing.slow(self._task.name, ms):
            arrival = self._arrivals[places[at]]
            arrival.trace.late("slow", arrival.ticket.id, float(ms[at]))

    def _trace(self, arrival: Arrival, part: PublishedGroup, place: int) -> None:
        name = self._task.label_set.labels[int(self._plan.published.label_ids[place])]
        rule = self._plan.count.provenance(place).rule
        votes = self._ballots.votes_on(place)
        arrival.trace.decided(self._task.name, name, part.source, rule=rule, votes=votes)

    def _count_labels(self, part: PublishedGroup) -> None:
        names = self._task.label_set.labels
        counted = Counter(self._plan.published.label_ids[part.places].tolist())
        for code, count in counted.items():
            self._metrics.published(self._task.name, names[code], count)

    def _label(self, written: bytes, place: int) -> Label:
        label = Label.from_json(written)
        return replace(label, source="fallback") if self._plan.fallback[place] else label

    def _review(self, arrival: Arrival, place: int) -> Review:
        task = self._task
        code = int(self._plan.published.label_ids[place])
        return Review(
            ticket=arrival.ticket,
            task=task.name,
            labels=task.label_set.labels,
            label_set=task.label_set.version,
            reason="gold",
            label=task.label_set.labels[code] if code >= 0 else None,
            confidence=None,
            votes=self._ballots.votes_on(place),
            judge=None,
            decision_id=arrival.decision_id(task.name),
            position=arrival.position(self._source),
            at=self._now,
        )


def _traceparent(headers: Sequence[tuple[str, bytes]]) -> str:
    return next(value.decode() for name, value in headers if name == "traceparent")
