"""Verdicts are counted before they leave; audits by what was in force as the rule accepted."""

from contextlib import aclosing

from streamer.records.label import Segmented
from tests.services.judging import Run, record, request


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
