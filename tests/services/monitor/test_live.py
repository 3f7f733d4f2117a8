"""What the pages are given: the same sums as were told, over the time that was asked for."""

import random
import time
from collections.abc import Mapping

import orjson
import pytest

from streamer.monitoring.alarms.standing import Standing
from streamer.monitoring.expected import Expected
from streamer.monitoring.expected_segments import ExpectedSegments, FirstAudits
from streamer.monitoring.reading import Reading
from streamer.monitoring.view import SegmentView, ShareView
from streamer.monitoring.windows import LONG, RECENT, Windows
from streamer.observe.histogram import EDGES_MS
from streamer.records.summary import Summary
from streamer.services.monitor.live import MOST_POINTS, LiveView
from tests.monitoring.planted import storm


def now_ms() -> int:
    return int(time.time() * 1000)


def seen(*summaries: Summary) -> LiveView:
    windows = Windows({}, {})
    windows.take(summaries, now_ms())
    return LiveView(windows, ("intent", "unheard"), "https://wiki.test/runbooks/")


def summary(counts: Mapping[str, Mapping[str, int]], back_s: float = 0, number: int = 1) -> Summary:
    at_ms = now_ms() - int(back_s * 1000)
    latency = {"ticket/judge": ((80, 50), (88, 50)), "service/judge": ((40, 100),)}
    return Summary("p", "classify", "intent", number, at_ms, 1.0, counts, {}, latency)


def test_a_task_is_shown_with_what_is_expected_of_it() -> None:
    view = seen(
        summary(
            {
                "decisions": {"accepted": 60, "deferred": 40},
                "labels": {"workers": 60, "judge": 30},
                "published": {"bug": 70, "refund": 20},
                "audited": {"yes": 9, "no": 1},
                "agreements": {"a/b/yes": 80, "a/b/no": 20},
                "ballots": {"a/given": 95, "a/abstained": 5},
                "deferred": {"disagreement": 40},
            }
        )
    )
    view.expect({"intent": Expected(0.7, 0.95, {"a/b": 0.9}, {"bug": 0.6, "refund": 0.4}, "here")})
    state = view.state()
    shown = state.tasks["intent"]
    assert shown.tickets == 100
    assert shown.tickets_per_s == pytest.approx(100 / state.span_s)
    assert (shown.coverage.value, shown.coverage.of, shown.coverage.reference) == (0.6, 100, 0.7)
    assert (shown.judge_share.hits, shown.judge_share.of) == (30, 90)
    assert shown.judge_share.reference == pytest.approx(0.3)
    assert (shown.fidelity.value, shown.fidelity.reference) == (0.9, 0.95)
    assert (shown.agreement["a/b"].value, shown.agreement["a/b"].reference) == (0.8, 0.9)
    assert shown.abstaining["a"].value == 0.05
    assert shown.distribution == {"bug": 70, "refund": 20}
    assert (shown.reference, shown.reference_from) == ({"bug": 0.6, "refund": 0.4}, "here")
    ticket, service = shown.latency["judge"], shown.service_latency["judge"]
    assert ticket.of == service.of == 100
    assert EDGES_MS[79] <= ticket.p50 * 1000 <= EDGES_MS[80] < ticket.p95 * 1000 <= EDGES_MS[88]
    assert service.p99 * 1000 <= EDGES_MS[40]
    nothing = state.tasks["unheard"]
    assert (nothing.tickets, nothing.coverage.value, nothing.latency) == (0, None, {})
    assert "at least once" in state.note
    assert orjson.loads(orjson.dumps(state))["tasks"]["intent"]["tickets"] == 100


def test_segments_are_shown_with_what_is_expected_of_each() -> None:
    view = seen(
        summary(
            {
                "segments": {"2": 60, "3": 20, "7": 10, "general": 10},
                "unrouted": {"far": 4, "unsure": 6},
                "segment_audited": {"2/yes": 9, "2/no": 1, "general/yes": 2},
            }
        )
    )
    shares, audits = {"2": 0.7, "3": 0.2, "4": 0.1}, {"2": FirstAudits(294, 300, 0)}
    segments = ExpectedSegments("v", {n: f"words {n}" for n in shares}, shares, audits)
    view.expect({"intent": Expected(segments=segments)})
    shown = view.state().tasks["intent"]
    assert list(shown.segments) == ["2", "3", "4", "7"]
    assert shown.segments["2"] == SegmentView(
        "words 2", ShareView(60 / 90, 60, 90, 0.7), ShareView(0.9, 9, 10, 0.98)
    )
    assert shown.segments["4"] == SegmentView(
        "words 4", ShareView(0.0, 0, 90, 0.1), ShareView(None, 0, 0, None)
    )
    assert shown.segments["7"].name is None
    assert shown.unrouted == {
        "far": ShareView(0.04, 4, 100, 0.01),
        "unsure": ShareView(0.06, 6, 100),
    }
    unheard = view.state().tasks["unheard"]
    assert unheard.segments == unheard.unrouted == {}


def test_another_version_than_is_watched_is_told() -> None:
    view = seen(summary({"routed": {"v2": 9}}), summary({"routed": {"v1": 9}}, 300, 2))
    said = "Tickets of intent are routed by version v2, and this monitor expects {}:"
    assert said.format("none") in view.state().note
    view.expect({"intent": Expected(segments=ExpectedSegments("v1", {}, {}))})
    assert said.format("v1") in view.state().note
    assert said.format("v1") in view.state(600).note, "it is about now"
    view.expect({"intent": Expected(segments=ExpectedSegments("v2", {}, {}))})
    assert "routed" not in view.state(600).note
    assert "routed" not in seen(summary({"decisions": {"accepted": 1}})).state().note


def test_a_state_is_of_its_span_alone() -> None:
    counts = {"decisions": {"accepted": 1}}
    view = seen(summary(counts, 5, 1), summary(counts, 300, 2), summary(counts, 4000, 3))
    assert [view.state(s).tasks["intent"].tickets for s in (60, 600, 86400)] == [1, 2, 3]


@pytest.mark.parametrize("seconds", [30, 900, 3600, 86400, 604800])
def test_a_series_has_all_that_was_told_in_few_steps(seconds: int) -> None:
    some = random.Random(1)
    told = list(storm(600, now_ms(), every_ms=some.choice((200, 400))))
    windows = Windows({}, {})
    windows.take(told, now_ms())
    series = LiveView(windows, (), "docs/runbooks").series("intent", seconds)
    assert len(series.starts_ms) == len(series.windows) <= MOST_POINTS + 2
    step_ms = int(series.step_s * 1000)
    assert step_ms % (RECENT if seconds <= 3600 else LONG).step_ms == 0
    assert [*series.starts_ms] == [*range(series.starts_ms[0], series.starts_ms[-1] + 1, step_ms)]
    total = sum(
        n
        for s in told
        if s.task == "intent" and s.at_ms >= series.starts_ms[0]
        for n in s.counts["decisions"].values()
    )
    assert sum(window.tickets for window in series.windows) == total


def test_a_task_that_nobody_heard_of_has_no_series() -> None:
    view = seen()
    assert view.series("unheard", 60).windows[0].tickets == 0
    with pytest.raises(KeyError):
        view.series("nothing", 60)


def test_alarms_come_worst_first() -> None:
    view = seen()
    readings = [
        Reading("dead_letters", None, None, "warning", 0.1, 0.02, "dead", True),
        Reading("service_silent", None, "judge", "critical", 20, 15, "silent", True),
    ]
    view.stand({r.id: Standing(r, 1_700_000_000_000 + n) for n, r in enumerate(readings)})
    silent, dead = view.alarms()
    assert (silent.kind, dead.kind) == ("service_silent", "dead_letters")
    assert silent.since == "2023-11-14T22:13:20.001Z"
    assert silent.runbook == "https://wiki.test/runbooks/service_silent.md"


def test_a_ticket_that_goes_to_the_judge_comes_in_once() -> None:
    counts = {"records": {"": 100}}
    view = seen(
        Summary("p", "classify", None, 1, now_ms(), 1.0, counts, {}, {}),
        Summary("j", "judge", None, 1, now_ms(), 1.0, {"records": {"": 30}}, {}, {}),
    )
    state = view.state()
    assert state.records_per_s == pytest.approx(100 / state.span_s)
