"""Publishes what was planned: labels, judge requests, audits, reviews and the log."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from streamer.observe.metrics import Metrics
from streamer.observe.slowest import Milliseconds
from streamer.observe.tracing import Tracing
from streamer.records.judge_request import Follower, Purpose
from streamer.records.label import Label, Vote, label_key
from streamer.records.log import ShadowVote, log_json
from streamer.records.review import Review
from streamer.services.arrival import Arrival
from streamer.services.ballots import Ballots
from streamer.services.counts import Marks
from streamer.services.intake import rfc3339
from streamer.services.label_form import LabelForm
from streamer.services.logs import Logs
from streamer.services.plan import Part, Plan
from streamer.services.requests import Requests
from streamer.services.task import Task
from streamer.stream.emission import Emission


@dataclass(frozen=True, slots=True)
class Outputs:
    """The topics that a ticket may lead to."""

    labels: str
    judge: str
    audit: str
    review: str
    log: str


class Settling:
    """One count of one task on its way out; `arrivals` are the counted tickets, in its order."""

    def __init__(
        self,
        source: str,
        task: Task,
        form: LabelForm,
        outputs: Outputs,
        arrivals: Sequence[Arrival],
        plan: Plan,
        metrics: Metrics,
        tracing: Tracing,
    ) -> None:
        self._source = source
        self._task = task
        self._form = form
        self._outputs = outputs
        self._arrivals = arrivals
        self._plan = plan
        self._metrics = metrics
        self._tracing = tracing
        self._ballots = Ballots(plan.count.seats, task.label_set)
        self._now_ms = time.time() * 1000
        self._requests = Requests(source, task, plan, self._ballots)

    def labels(self, seen_ms: float) -> Iterator[list[Emission]]:
        """The labels that are published now."""
        for part in self._plan.parts():
            some = [self._arrivals[place] for place in part.places.tolist()]
            created = np.array([arrival.created_ms for arrival in some])
            self._metrics.labels(self._task.name, part.source, created, seen_ms, self._now_ms)
            self._follow_slow(some, np.nan_to_num(self._now_ms - created))
            self._count_labels(part)
            yield self._labels(part, some)

    def requests(
        self, marks: Marks, purpose: Purpose, followers: Mapping[int, Sequence[Follower]]
    ) -> list[Emission]:
        """Judge requests for the marked tickets; `followers` by their places among these."""
        topic = self._outputs.audit if purpose == "audit" else self._outputs.judge
        found = []
        for at, place in enumerate(np.flatnonzero(marks).tolist()):
            arrival = self._arrivals[place]
            if purpose == "decide" and arrival.trace.sampled:
                votes = self._ballots.votes_on(place)
                arrival.trace.deferred(self._task.name, self._plan.deferred, votes=votes)
            headers = arrival.trace.headers(topic)
            made = self._requests.make(
                arrival, place, purpose, _traceparent(headers), followers.get(at, ())
            )
            found.append(
                Emission(arrival.record, topic, self._key(arrival), made.to_json(), headers)
            )
        return found

    def followers(self, values: Sequence[str]) -> Iterator[Follower]:
        """Each ticket's label or request, for a judge's label of another task among `values`."""
        labelled = ~self._plan.decide
        written = self._form.write(
            self._arrivals,
            self._plan.published,
            self._ballots,
            self._plan.count.which,
            "workers",
            True,
            self._now,
        )
        for place, arrival in enumerate(self._arrivals):
            if labelled[place]:
                yield Follower(tuple(values), label=self._label(written[place], place))
            else:
                context = arrival.trace.traceparent
                made = self._requests.make(arrival, place, "decide", context)
                yield Follower(tuple(values), request=made)

    def logs(self, shadows: Sequence[tuple[ShadowVote, ...]] | None = None) -> list[Emission]:
        """The log of the tickets that were drawn for it, with what `shadows` said of each."""
        if not np.count_nonzero(self._plan.draws.logged):
            return []
        count = self._plan.count
        everybody = Ballots((*count.seats, *count.beside), self._task.label_set)
        logs = Logs(self._source, self._task, self._plan, everybody, self._now)
        topic = self._outputs.log
        return [
            self._emission(
                arrival,
                topic,
                log_json(logs.make(arrival, place, () if shadows is None else shadows[place])),
            )
            for place, arrival in self._marked(self._plan.draws.logged)
        ]

    def reviews(self) -> list[Emission]:
        """The tickets that a person is asked about as a sample of the truth."""
        topic = self._outputs.review
        return [
            self._emission(arrival, topic, self._review(arrival, place).to_json())
            for place, arrival in self._marked(self._plan.draws.gold)
        ]

    def _emission(self, arrival: Arrival, topic: str, value: bytes) -> Emission:
        headers = arrival.trace.headers(topic)
        return Emission(arrival.record, topic, self._key(arrival), value, headers)

    @property
    def _now(self) -> str:
        return rfc3339(int(self._now_ms))

    def _key(self, arrival: Arrival) -> bytes:
        return label_key(arrival.ticket.id, self._task.name)

    def _marked(self, marks: Marks) -> Iterator[tuple[int, Arrival]]:
        return ((place, self._arrivals[place]) for place in np.flatnonzero(marks).tolist())

    def _labels(self, part: Part, some: Sequence[Arrival]) -> list[Emission]:
        published, ballots, which = self._plan.published, self._ballots, self._plan.count.which
        if len(part.places) < len(self._arrivals):
            published, ballots = published[part.places], ballots[part.places]
            which = which[part.places]
        values = self._form.write(
            some, published, ballots, which, part.source, part.final, self._now
        )
        for at, (place, arrival) in enumerate(zip(part.places.tolist(), some, strict=True)):
            if arrival.trace.sampled:
                self._trace(arrival, part, ballots.votes_on(at), place)
        topic = self._outputs.labels
        return [
            Emission(arrival.record, topic, self._key(arrival), value, arrival.trace.headers(topic))
            for arrival, value in zip(some, values, strict=True)
        ]

    def _follow_slow(self, arrivals: Sequence[Arrival], ms: Milliseconds) -> None:
        for place in self._tracing.slow(self._task.name, ms):
            arrival = arrivals[place]
            arrival.trace.late("slow", arrival.ticket.id, float(ms[place]))

    def _trace(self, arrival: Arrival, part: Part, votes: Sequence[Vote], place: int) -> None:
        name = self._task.label_set.labels[int(self._plan.published.codes[place])]
        rule = self._plan.count.provenance(place).rule
        arrival.trace.decided(self._task.name, name, part.source, rule=rule, votes=votes)

    def _count_labels(self, part: Part) -> None:
        names = self._task.label_set.labels
        counted = Counter(self._plan.published.codes[part.places].tolist())
        for code, count in counted.items():
            self._metrics.published(self._task.name, names[code], count)

    def _label(self, written: bytes, place: int) -> Label:
        label = Label.from_json(written)
        return replace(label, source="fallback") if self._plan.fallback[place] else label

    def _review(self, arrival: Arrival, place: int) -> Review:
        task = self._task
        code = int(self._plan.published.codes[place])
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
