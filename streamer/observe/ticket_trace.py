"""One ticket's part of its trace, in one service."""

from collections.abc import Sequence
from typing import Literal, Protocol

from opentelemetry.trace import Link, SpanContext, SpanKind

from streamer.observe import semconv as s
from streamer.observe.recorder import Recorder
from streamer.observe.spans import Attributes, OpenSpan
from streamer.observe.traceparent import TRACEPARENT, TRACESTATE, below
from streamer.records.identity import Location
from streamer.records.label import Rule, Vote

Header = tuple[str, bytes]
Step = Literal["classify", "judge"]
Why = Literal["error", "corrected", "slow"]


class Call(Protocol):
    """A call of a language model, as the conventions for generative AI have it."""

    @property
    def operation(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def asked(self) -> str: ...
    @property
    def answered(self) -> str: ...
    @property
    def host(self) -> str | None: ...
    @property
    def port(self) -> int | None: ...


class Tokens(Protocol):
    """What calls took since `began_ns`: tokens of prompts, cached ones among them, of answers."""

    @property
    def prompts(self) -> int: ...
    @property
    def cached(self) -> int: ...
    @property
    def answers(self) -> int: ...
    @property
    def began_ns(self) -> int: ...


class TicketTrace:
    """The span of one ticket, where it is sampled; else only the context that it carries on.

    Every method is for sampled and unsampled tickets alike and does next to nothing for the
    latter. `traceparent` is the context for whoever works on the ticket next, `span` the ticket's
    own where it is sampled, `received_ns` when its batch came, if that was said, in nanoseconds
    since the epoch. No method takes a ticket's text: it must not get into spans.
    """

    __slots__ = ("_location", "_recorder", "_state", "received_ns", "span", "traceparent")

    def __init__(
        self,
        recorder: Recorder,
        location: Location,
        received_ns: int | None,
        traceparent: str,
        state: bytes | None,
        span: OpenSpan | None = None,
    ) -> None:
        self._recorder = recorder
        self._location = location
        self.received_ns = received_ns
        self.traceparent = traceparent
        self._state = state
        self.span = span

    @property
    def sampled(self) -> bool:
        """Whether this service writes spans for the ticket."""
        return self.span is not None

    @property
    def link(self) -> Link | None:
        """A link to the ticket's span, where it has one; its place stands on that span."""
        return None if self.span is None else Link(self.span.context)

    def seen_in(self, batch: SpanContext) -> None:
        """Note the batch that the ticket was worked on in: who waited for whom stands there."""
        if self.span is not None:
            self.span.links.append(Link(batch))

    def late(self, why: Why, ticket_id: str = "", latency_ms: float | None = None) -> None:
        """Write the spans of an unsampled ticket after all, from when its batch came.

        Of too many in one second some are left out. What is sent for the ticket from here on is
        sampled.
        """
        if self.span is not None:
            return
        self.span = self._recorder.late(self._location, self.traceparent, self.received_ns, why)
        if self.span is not None:
            self.traceparent = below(self.traceparent, self.span.context)
            if ticket_id:
                self.span.attributes[s.TICKET_ID] = ticket_id
            if latency_ms is not None:
                self.span.attributes[s.LATENCY_MS] = round(latency_ms)

    def deleted(self) -> None:
        """The record deletes the ticket."""
        if self.span is not None:
            self.span.attributes[s.TOMBSTONE] = True

    def identify(self, ticket_id: str) -> None:
        """Note the ticket's id, once it is known."""
        if self.span is not None:
            self.span.attributes[s.TICKET_ID] = ticket_id

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

    def routed(
        self,
        task: str,
        segment: str,
        confidence: float,
        routing: str,
        workers: Sequence[str],
        began_ns: int,
    ) -> None:
        """A segment was found for the ticket, or "general", with the `workers` of its route.

        `routing` is the version; the search for the whole batch began at `began_ns`.
        """
        if self.span is None:
            return
        attributes: Attributes = {
            s.TASK: task,
            s.SEGMENT: segment,
            s.SEGMENT_SURENESS: confidence,
            s.ROUTING: routing,
            s.WORKERS: tuple(workers),
        }
        self._recorder.step(self.span, f"route {task}", attributes, began_ns)

    def called(self, call: Call, tokens: Tokens) -> None:
        """A language model has answered about the ticket, in one call or several like this."""
        if self.span is None:
            return
        given: dict[str, str | int | None] = {
            s.GENAI_OPERATION: call.operation,
            s.GENAI_PROVIDER: call.provider,
            s.GENAI_ASKED: call.asked,
            s.GENAI_ANSWERED: call.answered,
            s.SERVER_ADDRESS: call.host,
            s.SERVER_PORT: call.port,
            # 0 is what a server had that says nothing of it.
            s.GENAI_PROMPTS: tokens.prompts or None,
            s.GENAI_CACHED: tokens.cached or None,
            s.GENAI_ANSWERS: tokens.answers or None,
        }
        attributes = {name: value for name, value in given.items() if value is not None}
        kind = SpanKind.INTERNAL if call.host is None else SpanKind.CLIENT
        name = f"{call.operation} {call.asked}"
        self._recorder.step(self.span, name, attributes, tokens.began_ns, kind)

    def failed(self, reason: str) -> None:
        """The ticket can't be processed; `reason` is a code such as `unreadable`.

        Errors show whatever the sampling: see `late`.
        """
        self.late("error")
        if self.span is not None:
            self.span.failed(reason)

    def headers(self, topic: str, others: Sequence[Header] = ()) -> list[Header]:
        """Headers of a record sent to `topic` for this ticket, with `others` among them.

        A `traceparent` among the others is replaced: many readers take the first of two, which
        is the old one.
        """
        span, sent = self.span, self.traceparent
        if span is not None:
            sent = below(sent, self._recorder.send(span, topic))
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
        return None if self.span is None else {TRACEPARENT: self.traceparent}

    def end(self, error: str | None = None) -> None:
        """The service is done with the ticket, or gave it up for `error`; once is enough."""
        if self.span is not None:
            if error is not None:
                self.span.failed(error)
            self.span.end()

    def _step(
        self,
        step: Step,
        task: str,
        more: dict[str, str],
        rule: Rule | None,
        votes: Sequence[Vote],
    ) -> None:
        if self.span is None:
            return
        attributes: dict[str, str | int | tuple[str, ...]] = {s.TASK: task, **more}
        if rule is not None:
            attributes |= {s.RULE: rule.kind, s.QUORUM: rule.quorum}
        if votes:
            attributes[s.VOTES] = tuple(
                [f"{vote.worker}={vote.label or f'({vote.abstained})'}" for vote in votes]
            )
        self._recorder.step(self.span, f"{step} {task}", attributes, self.received_ns)
