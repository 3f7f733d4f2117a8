"""One ticket's part of its trace, in one service."""

from collections.abc import Sequence
from typing import Literal

from opentelemetry.trace import Link

from streamer.observe import semconv as s
from streamer.observe.recorder import Recorder
from streamer.observe.spans import OpenSpan
from streamer.observe.traceparent import TRACEPARENT, TRACESTATE
from streamer.records.identity import Place
from streamer.records.label import Rule, Vote

Header = tuple[str, bytes]
Step = Literal["classify", "judge"]


class TicketTrace:
    """The span of one ticket, where it is sampled; else only the context that it carries on.

    Every method is for sampled and unsampled tickets alike and does next to nothing for the
    latter. `traceparent` is the context for whoever works on the ticket next. No method takes a
    ticket's text: it must not get into spans.
    """

    __slots__ = ("_place", "_received_ns", "_recorder", "_span", "_state", "traceparent")

    def __init__(
        self,
        recorder: Recorder,
        place: Place,
        received_ns: int | None,
        traceparent: str,
        state: bytes | None,
        span: OpenSpan | None = None,
    ) -> None:
        self._recorder = recorder
        self._place = place
        self._received_ns = received_ns
        self.traceparent = traceparent
        self._state = state
        self._span = span

    @property
    def sampled(self) -> bool:
        """Whether this service writes spans for the ticket."""
        return self._span is not None

    @property
    def received_ns(self) -> int | None:
        """When the batch came, in nanoseconds since the epoch; None where it was not said."""
        return self._received_ns

    @property
    def link(self) -> Link | None:
        """A link to the ticket's span, where it has one; its place stands on that span."""
        return None if self._span is None else Link(self._span.context)

    def identify(self, ticket_id: str) -> None:
        """Note the ticket's id, once it is known."""
        if self._span is not None:
            self._span.attributes[s.TICKET_ID] = ticket_id

    def decided(
        self,
        task: str,
        label: str,
        source: str,
        *,
        rule: Rule | None = None,
        votes: Sequence[Vote] = (),
        step: Step = "classify",
    ) -> None:
        """A task's label is known: by `source` (workers, judge, fallback, person)."""
        self._step(step, task, {s.LABEL: label, s.SOURCE: source}, rule, votes)

    def deferred(
        self,
        task: str,
        reason: str,
        *,
        rule: Rule | None = None,
        votes: Sequence[Vote] = (),
        step: Step = "classify",
    ) -> None:
        """A task was not settled in this step and somebody else must; `reason` says why."""
        self._step(step, task, {s.DEFERRED: reason}, rule, votes)

    def failed(self, reason: str) -> None:
        """The ticket can't be processed; `reason` is a code such as `unreadable`.

        For an unsampled ticket a span is written now, starting when the batch came, so that
        errors show whatever the sampling; of too many in one second some are left out.
        """
        if self._span is not None:
            self._span.failed(reason)
        elif late := self._recorder.late(self._place, self.traceparent, self._received_ns):
            late.failed(reason)
            late.end()

    def headers(self, topic: str, others: Sequence[Header] = ()) -> list[Header]:
        """Headers of a record sent to `topic` for this ticket, with `others` among them.

        A `traceparent` among the others is replaced: many readers take the first of two, which
        is the old one.
        """
        span = self._span
        sent = self.traceparent if span is None else self._recorder.send(span, topic)
        headers = [(TRACEPARENT, sent.encode())]
        if self._state is not None:
            headers.append((TRACESTATE, self._state))
        if others:
            headers += [h for h in others if h[0] not in (TRACEPARENT, TRACESTATE)]
        return headers

    def trace_headers(self) -> dict[str, str] | None:
        """What to give to a model server for this ticket alone; None where it isn't sampled,
        since such a server exports whatever it gets.
        """
        return None if self._span is None else {TRACEPARENT: self.traceparent}

    def end(self, error: str | None = None) -> None:
        """The service is done with the ticket, or gave it up for `error`; once is enough."""
        if self._span is not None:
            if error is not None:
                self._span.failed(error)
            self._span.end()

    def _step(
        self,
        step: Step,
        task: str,
        known: dict[str, str],
        rule: Rule | None,
        votes: Sequence[Vote],
    ) -> None:
        if self._span is None:
            return
        attributes: dict[str, str | int | tuple[str, ...]] = {s.TASK: task, **known}
        if rule is not None:
            attributes |= {s.RULE: rule.kind, s.QUORUM: rule.quorum}
        if votes:
            attributes[s.VOTES] = tuple(
                [f"{vote.worker}={vote.label or f'({vote.abstained})'}" for vote in votes]
            )
        self._recorder.step(self._span, f"{step} {task}", attributes, self._received_ns)
