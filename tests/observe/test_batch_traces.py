"""The spans of batches and of their calls."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from tests.observe.followed import UNSAMPLED, Make, at, attributes, parent_id, span_id


@pytest.mark.parametrize("tickets", [1, 128, 129, 300])
def test_a_batch_links_to_all_its_sampled_tickets(traced: Make, tickets: int) -> None:
    service = traced(1.0)
    traces = [service.tracing.ticket([], *at(n)) for n in range(tickets)]
    other = service.tracing.ticket(UNSAMPLED, *at(tickets))
    with service.tracing.batch("tickets", [*traces, other], tickets + 1):
        pass
    spans = service.spans()
    batches = [span for span in spans if span.name == "process_batch tickets"]
    assert all(len(span.links) <= 128 for span in batches)
    linked = [link.context.span_id for span in batches for link in span.links]
    processed = [s for s in spans if s.name == "process tickets"]
    assert sorted(linked) == sorted(map(span_id, processed))
    assert len(linked) == tickets
    assert {attributes(span)["messaging.batch.message_count"] for span in batches} == {tickets + 1}
    assert len({span.context.trace_id for span in batches}) == 1
    first, *others = _root_first(batches)
    assert all(parent_id(span) == span_id(first) for span in others)
    if tickets == 1:
        assert parent_id(first) == span_id(processed[0])
        return
    assert first.parent is None
    known = set(map(span_id, batches))
    assert all([link.context.span_id in known for link in s.links] == [True] for s in processed)


def _root_first(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    return sorted(spans, key=lambda span: span.parent is not None)


class Asked:
    """Answers in this version, or fails; keeps the headers that it was given."""

    def __init__(self, version: str = "1", error: Exception | None = None) -> None:
        self.version = version
        self.given: list[str | None] = []
        self._error = error

    async def __call__(self, traceparent: str | None) -> "Asked":
        self.given.append(traceparent)
        if self._error is not None:
            raise self._error
        return self


async def test_a_batch_without_sampled_tickets_is_nothing(traced: Make) -> None:
    service, asked = traced(0.0), Asked()
    trace = service.tracing.ticket([], *at())
    with service.tracing.batch("tickets", [trace], 1) as batch:
        assert await batch.call("fast", 1, asked) is asked
    assert asked.given == [None]
    assert trace.trace_headers() is None
    assert service.spans() == []


async def test_calls_of_workers_lie_under_the_batch(traced: Make) -> None:
    service, asked = traced(1.0), Asked("3")
    trace = service.tracing.ticket([], *at())
    with service.tracing.batch("tickets", [trace], 1) as batch:
        assert await batch.call("fast", 12, asked) is asked
        assert trace.trace_headers() == {"traceparent": trace.traceparent}
    spans = {span.name: span for span in service.spans()}
    found, whole = spans["infer fast"], spans["process_batch tickets"]
    assert found.kind is SpanKind.CLIENT
    assert parent_id(found) == span_id(whole)
    header = f"00-{found.context.trace_id:032x}-{found.context.span_id:016x}-01"
    assert asked.given == [header]
    assert attributes(found)["streamer.worker.version"] == "3"
    assert attributes(found)["streamer.rows"] == 12


async def test_a_failed_batch_shows_with_its_tickets_and_without_their_text(traced: Make) -> None:
    service, asked = traced(1.0), Asked(error=ValueError("the secret text"))
    trace = service.tracing.ticket([], *at())
    with (
        pytest.raises(ValueError, match="secret"),
        service.tracing.batch("tickets", [trace], 1) as batch,
    ):
        await batch.call("fast", 1, asked)
    spans = service.spans()
    assert {span.name for span in spans} == {
        "process tickets",
        "process_batch tickets",
        "infer fast",
    }
    assert {span.status.status_code for span in spans} == {StatusCode.ERROR}
    assert {attributes(span)["error.type"] for span in spans} == {"ValueError"}
    assert all("secret" not in span.to_json() for span in spans)
