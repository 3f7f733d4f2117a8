"""Verdicts are counted before they leave; audits by what was in force as the rule accepted."""

from contextlib import aclosing

import pytest
from opentelemetry.trace import SpanKind

from streamer.judging.model_call import ModelCall
from streamer.records.label import Segmented
from tests.observe.conftest import Traced
from tests.observe.followed import attributes, parent_id, span_id
from tests.services.judging import TRACEPARENT, Run, decided, record, request

UNCOVERED = "streamer_verdict_uncovered_ratio"


async def test_audits_are_counted_by_calibration() -> None:
    run = Run()
    of = {"uniform": True, "accepted": True, "purpose": "audit", "candidate": "good"}
    texts, versions = ["bad", "good", "good", "good"], ["old", "new", "new", None]
    for number, (text, version) in enumerate(zip(texts, versions, strict=True)):
        await run.of(request(text, number=number, calibration=version, **of))
    said = set(run.metrics.render().decode().splitlines())
    assert said >= {
        'streamer_audited_total{agreed="no",task="mood"} 1.0',
        'streamer_audited_total{agreed="yes",task="mood"} 3.0',
        'streamer_calibration_audited_total{agreed="no",calibration="old",task="mood"} 1.0',
        'streamer_calibration_audited_total{agreed="yes",calibration="new",task="mood"} 2.0',
    }
    assert not any('calibration="None"' in line for line in said)


async def test_audits_of_a_segment_are_counted_for_it_too() -> None:
    of = {"uniform": True, "accepted": True, "purpose": "audit", "candidate": "good"}
    run = await Run().of(
        request("good", number=1, segment=Segmented(4, "v"), **of), request("bad", number=2, **of)
    )
    assert run.metric("streamer_audited_total", "yes") == 1
    assert run.metric("streamer_segment_audited_total", "4", "yes") == 1
    assert run.metric("streamer_segment_audited_total", "4", "no") == 0


async def test_a_verdict_is_counted_though_nothing_more_of_the_batch_is_done() -> None:
    run = Run()
    async with aclosing(run.handler.handle([record(request("good"))])) as groups:
        await anext(groups)
    assert run.metric("streamer_verdicts_total", "decide") == 1
    assert run.metric("streamer_labels_total", "judge") == 1
    assert run.metric("streamer_published_total", "good") == 1


async def test_what_a_backfill_decides_is_not_counted() -> None:
    run = await Run().of(request("good", backfill="of March"))
    assert [label.label for label in run.labels] == ["good"]
    assert run.metric("streamer_verdicts_total") == 0


async def test_tokens_of_verdicts_are_counted_by_what_became_of_them() -> None:
    run = Run()
    run.judge.takes = (300, 256, 1)
    await run.of(request("good"), request("bad", number=2), request("ugly", task="why", number=3))
    await run.of(request("good", number=4, backfill="of March"))
    tokens = {
        (task, kind): run.metric("streamer_verdict_tokens_total", task, kind)
        for task in ("mood", "why")
        for kind in ("computed", "cached", "answered")
    }
    assert tokens == {
        ("mood", "computed"): 88,
        ("mood", "cached"): 512,
        ("mood", "answered"): 2,
        ("why", "computed"): 44,
        ("why", "cached"): 256,
        ("why", "answered"): 1,
    }


async def test_coverage_is_counted_by_whether_it_is_enough() -> None:
    run = Run(tasks=decided(min_coverage=0.5))
    run.judge.coverage = {"good one": 0.99, "good": 0.7, "bad": 0.49}
    asked = [request(text, number=n) for n, text in enumerate(run.judge.coverage)]
    await run.of(*asked, request("bad", number=9, backfill="of March"))
    assert run.metric("streamer_verdicts_covered_total", "mood", "yes") == 2
    assert run.metric("streamer_verdicts_covered_total", "mood", "no") == 1
    below = [
        run.metric(f"{UNCOVERED}_bucket", "mood", edge) for edge in ("0.008", "0.016", "0.512")
    ]
    assert below == [0, 1, 3]
    assert run.metric(f"{UNCOVERED}_sum", "mood") == pytest.approx(0.01 + 0.3 + 0.51, abs=1e-6)


async def test_a_judge_that_can_say_nothing_but_labels_has_no_coverage() -> None:
    run = await Run(tasks=decided(min_coverage=0.5)).of(request("good"))
    assert f"{UNCOVERED}_count" not in run.metrics.render().decode()
    assert 'enough="' not in run.metrics.render().decode()


SAMPLED = f"{TRACEPARENT[:-2]}01"
SERVED = {"host": "judge.example", "port": 8443}


@pytest.mark.parametrize(
    ("call", "kind", "takes", "wanted"),
    [
        (
            ModelCall(operation="chat", provider="openai", asked="m", answered="m-2", **SERVED),
            SpanKind.CLIENT,
            (0, 0, 0),
            {"server.address": "judge.example", "server.port": 8443},
        ),
        (
            ModelCall(operation="chat", provider="vllm", asked="m", answered="m-2"),
            SpanKind.INTERNAL,
            (300, 256, 1),
            {
                "gen_ai.usage.input_tokens": 300,
                "gen_ai.usage.cache_read.input_tokens": 256,
                "gen_ai.usage.output_tokens": 1,
            },
        ),
    ],
)
async def test_a_language_models_calls_are_a_span_of_the_conventions_without_any_text(
    call: ModelCall, kind: SpanKind, takes: tuple[int, int, int], wanted: dict[str, str | int]
) -> None:
    traced = Traced(0.0)
    run = Run(tracing=traced.tracing)
    run.judge.takes, run.judge.call = takes, call
    await run.of(request("good, said in secret", purpose="audit", traceparent=SAMPLED))
    spans = {span.name: span for span in traced.spans()}
    found, process = spans["chat m"], spans["process tickets.judge"]
    assert attributes(found) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": call.provider,
        "gen_ai.request.model": "m",
        "gen_ai.response.model": "m-2",
        **wanted,
    }
    assert (found.kind, parent_id(found)) == (kind, span_id(process))
    assert process.start_time <= found.start_time <= found.end_time
    assert not any("secret" in str(attributes(span)) for span in spans.values())


async def test_a_judge_that_generates_nothing_has_no_such_span() -> None:
    traced = Traced(0.0)
    run = Run(tracing=traced.tracing)
    run.judge.takes = (300, 0, 0)
    await run.of(request("good", traceparent=SAMPLED))
    spans = traced.spans()
    assert "judge mood" in {span.name for span in spans}
    assert not any(name.startswith("gen_ai") for span in spans for name in attributes(span))
