"""Summaries are what happened since the last look: together they are what happened at all."""

import random

import numpy as np
import orjson
import pytest

from streamer.observe.metrics import Metrics
from streamer.observe.summaries import GAUGES, OF_PROCESS, OF_TASKS, Summaries
from streamer.records.summary import Summary
from tests.observe.test_metrics import Running

NOW = 1_700_000_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def happen(metrics: Metrics, some: random.Random) -> None:
    for _ in range(some.randrange(5)):
        task, of = some.choice(["intent", "mood"]), some.randrange(1, 9)
        metrics.decisions(task, some.randrange(of), of)
        metrics.agreements(task, "a", "b", some.randrange(of), of)
        metrics.published(task, some.choice(["refund", "bug/other"]), of)
        metrics.labels(task, "workers", NOW - np.array([some.random() * 1e4] * of), NOW, NOW)
        metrics.dead("unreadable", some.randrange(2))


@pytest.mark.parametrize("seed", range(5))
def test_the_sums_of_all_summaries_are_the_metrics(seed: int) -> None:
    print("seed", seed)
    some, metrics = random.Random(seed), Metrics(["intent", "mood"])
    summaries = Summaries("classify", metrics, Clock())
    found: list[Summary] = []
    for _ in range(20):
        happen(metrics, some)
        found += summaries.look()
    for family, name in OF_TASKS.items():
        totals: dict[tuple[str | None, str], float] = {}
        for summary in found:
            for key, count in summary.counts.get(family, {}).items():
                totals[summary.task, key] = totals.get((summary.task, key), 0) + count
        known = {
            (task, "/".join(rest)): value
            for (task, *rest), value in metrics.snapshot().get(name, {}).items()
            if value
        }
        assert totals == known
    seen = sum(n for s in found for path in s.latency.values() for _, n in path)
    labelled = sum(n for s in found for n in s.counts.get("labels", {}).values())
    assert seen == 2 * labelled > 0


def test_each_task_has_its_own_sequence_and_the_process_one_more() -> None:
    metrics = Metrics(["intent"])
    metrics.watch_engine(Running())
    summaries = Summaries("judge", metrics, Clock())
    first, second = summaries.look(), summaries.look()
    assert [(s.task, s.sequence) for s in first] == [(None, 1), ("intent", 1)]
    assert [(s.task, s.sequence) for s in second] == [(None, 2), ("intent", 2)]
    assert len({s.process for s in (*first, *second)}) == 1
    assert first[0].counts == {"records": {"": 9}, "settled": {"no task applies": 2}}
    assert second[0].counts == {}
    assert second[0].gauges["lag"] == 4
    assert second[0].seconds == 1.0
    assert Summaries("judge", metrics).look()[0].process != first[0].process


def test_segments_are_summarised_where_there_are_any() -> None:
    metrics = Metrics(["intent", "mood"])
    summaries = Summaries("classify", metrics, Clock())
    metrics.routed("intent", "3", 40)
    metrics.routed("intent", "general", 7)
    metrics.routed("intent", "4", 0)
    metrics.routed_by("intent", "v1", 47)
    metrics.unrouted("intent", "far", 2)
    metrics.unrouted("intent", "unsure", 5)
    metrics.segment_audited("intent", "3", 9, 10)
    metrics.segment_audited("intent", "general", 1, 1)
    metrics.routing(0.004, 47)
    process, intent, mood = summaries.look()
    assert intent.counts == {
        "segments": {"3": 40, "general": 7},
        "routed": {"v1": 47},
        "unrouted": {"far": 2, "unsure": 5},
        "segment_audited": {"3/yes": 9, "3/no": 1, "general/yes": 1},
    }
    assert process.counts == mood.counts == {}
    assert Summary.from_json(intent.to_json()) == intent
    assert [one.counts for one in summaries.look()] == [{}, {}, {}]


def test_without_segments_a_summary_is_written_as_before_there_were_any() -> None:
    metrics = Metrics(["intent"])
    metrics.decisions("intent", 3, 4)
    metrics.audited("intent", None, 1, 1)
    _, summary = Summaries("classify", metrics, Clock()).look()
    written = orjson.loads(summary.to_json()) | {"process": "p"}
    assert orjson.dumps(written) == (
        b'{"process":"p","service":"classify","task":"intent","sequence":1,"at_ms":102000,'
        b'"seconds":1.0,"counts":{"decisions":{"accepted":3,"deferred":1},"audited":{"yes":1}},'
        b'"gauges":{},"latency":{}}'
    )


def test_a_summary_survives_the_topic() -> None:
    metrics = Metrics(["intent"])
    metrics.labels("intent", "workers", NOW - np.array([3.0, 4000.0]), NOW, NOW)
    _, summary = Summaries("classify", metrics, Clock()).look()
    assert Summary.from_json(summary.to_json()) == summary
    for broken in (b"1", b"{}", orjson.dumps({"process": "x", "latency": {}})):
        with pytest.raises((ValueError, TypeError, KeyError)):
            Summary.from_json(broken)


def test_every_summarised_family_exists() -> None:
    from streamer.observe.families import FAMILIES

    known = {family.name: family for family in FAMILIES}
    for name in OF_TASKS.values():
        assert known[name].kind == "counter"
        assert known[name].labels[0] == "task"
    assert {*OF_PROCESS.values(), *GAUGES.values()} <= set(known)
