"""Segments that shift, die, don't fit any more, or are served worse: and none of it for nothing."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from streamer.config.settings import Alarms
from streamer.monitoring import tallies
from streamer.monitoring.alarms import share_tests
from streamer.monitoring.alarms.segment_tests import LEFT, segment_tests
from streamer.monitoring.alarms.standing import standing
from streamer.monitoring.expected import Expected
from streamer.monitoring.expected_segments import AUDITS, FAR, FirstAudits
from streamer.monitoring.reading import Reading
from streamer.monitoring.window import Window
from streamer.observe.metrics import Metrics
from streamer.observe.summaries import Summaries
from streamer.records.alarm import AlarmKind
from streamer.records.summary import Summary
from tests.monitoring.scene import BEGIN, KNOWN, LIMITS, Scene
from tests.monitoring.segmented import (
    SEGMENTS,
    SHARES,
    TICKETS,
    WITH,
    Stream,
    settled,
    windows,
)

KINDS: Sequence[AlarmKind] = (
    "segment_shift",
    "segment_gone",
    "segment_candidate",
    "segment_fidelity",
)


def until(scene: Scene, stream: Stream, kind: AlarmKind, within: int, **how: Any) -> Reading:
    """The first alarm of this kind, once it stands."""
    for number in windows(scene, stream, within, **how):
        if found := scene.raised(kind):
            print(f"{kind} after {number} windows of {TICKETS} tickets: {found[0].text}")
            return found[0]
    raise AssertionError(f"no {kind} within {within} windows")


def test_another_mix_is_a_shift_within_a_few_windows() -> None:
    scene, stream = settled(31)
    mix = {"1": 0.35, "2": 0.45, "3": 0.15, "4": 0.05}
    alarm = until(scene, stream, "segment_shift", 20, shares=mix)
    assert (alarm.task, alarm.subject, alarm.severity) == ("intent", None, "warning")
    assert alarm.false_alarm_every_s == LIMITS.false_alarm_every
    named = {"1": "segment 1 'card payment'", "2": "segment 2 'refund order'"}
    (number,) = [number for number, name in named.items() if name in alarm.text]
    assert alarm.value == pytest.approx(mix[number], abs=0.05)
    assert "tickets of any segment lately; expected is" in alarm.text
    assert not scene.raised("segment_gone")
    assert any(not scene.raised("segment_shift") for _ in windows(scene, stream, 100))


def test_what_nobody_expects_is_a_shift() -> None:
    scene, stream = settled(32)
    mix = {"1": 0.4, "2": 0.2, "3": 0.15, "4": 0.05, "9": 0.2}
    for _ in windows(scene, stream, 20, shares=mix):
        pass
    (alarm,) = scene.raised("segment_shift")
    assert "any other segment" in alarm.text
    assert alarm.value == pytest.approx(0.2, abs=0.05)


def test_a_segment_that_dies_is_named_and_comes_back() -> None:
    scene, stream = settled(33)
    dying = {"1": 0.5, "2": 0.3, "3": 0.199, "4": 0.001}
    alarm = until(scene, stream, "segment_gone", 60, shares=dying)
    assert alarm.subject == "4"
    assert alarm.value < alarm.limit == pytest.approx(LEFT * SHARES["4"])
    assert "segment 4 'new phone'" in alarm.text
    assert "expected is 5.0%; it dies: fit the segments again" in alarm.text
    assert [one.subject for one in scene.raised("segment_gone")] == ["4"]
    assert any(not scene.raised("segment_gone") for _ in windows(scene, stream, 60))


def test_half_of_a_segment_is_not_its_death() -> None:
    scene, stream = settled(34)
    for _ in windows(scene, stream, 200, shares={"1": 0.525, "2": 0.3, "3": 0.15, "4": 0.025}):
        pass
    assert not scene.raised("segment_gone")


def test_a_rare_segment_is_not_watched_for_its_death() -> None:
    rare = replace(SEGMENTS, shares={"1": 0.5, "2": 0.3, "3": 0.195, "4": 0.005})
    watched = segment_tests(replace(WITH, segments=rare), LIMITS)
    assert [t.subject for t in watched if t.kind == "segment_gone"] == ["1", "2", "3"]


def test_tickets_like_no_segment_are_a_candidate() -> None:
    scene, stream = settled(35)
    alarm = until(scene, stream, "segment_candidate", 30, far=0.08)
    assert alarm.subject is None
    assert alarm.value > alarm.limit == pytest.approx(FAR + LIMITS.far_tolerance)
    assert "they are like none of the segments: fit the segments again" in alarm.text
    assert not scene.raised("segment_shift"), "the shares among the others are the same"
    assert any(not scene.raised("segment_candidate") for _ in windows(scene, stream, 120))


def test_unsure_tickets_alone_raise_nothing() -> None:
    scene, stream = settled(36)
    for _ in windows(scene, stream, 60, unsure=0.6):
        assert not [r for r in scene.readings() if r.out]


def test_where_naming_failed_nothing_is_held_against_the_tickets() -> None:
    scene, _ = settled(37)
    for _ in range(60):
        failed = {"segments": {"general": 200}, "unrouted": {"failed": 200}}
        scene.tell(failed | {"routed": {SEGMENTS.version: 200}})
        scene.later(10)
        assert not [r for r in scene.readings() if r.out]


def test_one_segment_served_worse_is_found_while_the_whole_keeps_its_promise() -> None:
    scene, stream = settled(38)
    worse = {"4": 0.7}
    alarm = until(scene, stream, "segment_fidelity", 300, fidelity=worse)
    assert alarm.subject == "4"
    assert alarm.value < alarm.limit
    assert "fidelity in segment 4 'new phone'" in alarm.text
    assert "it was " in alarm.text
    whole = 0.95 * 0.97 + 0.05 * 0.7
    assert KNOWN.fidelity is not None
    assert whole > KNOWN.fidelity
    for _ in windows(scene, stream, 100, fidelity=worse):
        pass
    assert not scene.raised("fidelity_broken")
    assert [one.subject for one in scene.raised("segment_fidelity")] == ["4"]


def test_a_segment_that_was_always_worse_is_no_fall() -> None:
    scene, stream = Scene(WITH), Stream(39)
    for _ in windows(scene, stream, 600, fidelity={"4": 0.85}):
        pass
    _, expected = scene.watch.drift(scene.watch.cells(scene.now_ms))
    found = expected["intent"].segments
    assert found is not None
    assert set(found.audits) == set(SHARES)
    assert not scene.raised("segment_fidelity")


def test_a_segment_may_fall_to_what_is_promised_of_the_task() -> None:
    first = {"1": FirstAudits(1000, 1000, 0)}
    tests = segment_tests(replace(WITH, segments=replace(SEGMENTS, audits=first)), LIMITS)
    (fidelity,) = [test for test in tests if test.kind == "segment_fidelity"]
    assert KNOWN.fidelity is not None
    assert first["1"].low > KNOWN.fidelity
    assert fidelity.bands[0].low == pytest.approx(KNOWN.fidelity - LIMITS.fidelity_tolerance)


def test_the_first_audits_are_as_many_as_are_enough() -> None:
    def window(yes: int, no: int, number: str = "1") -> Window:
        return Window({"segment_audited": {f"{number}/yes": yes, f"{number}/no": no}})

    cells = [(20, window(150, 20)), (30, window(140, 10)), (40, window(9, 0))]
    found = SEGMENTS.audited_in([*cells, (50, window(20, 0, "2"))])
    assert found.audits == {"1": FirstAudits(290, 320, 30)}
    assert found.audits["1"].total >= AUDITS
    assert found.audits["1"].low < found.audits["1"].share
    assert SEGMENTS.audited_in(cells[1:]).audits == {}


@pytest.mark.parametrize("share", [0.8, 0.9, 0.95, 0.98])
def test_what_is_held_against_a_segment_is_hardly_ever_above_its_true_share(share: float) -> None:
    print("seed 45")
    lows = np.array([FirstAudits(hits, AUDITS, 0).low for hits in range(AUDITS + 1)])
    hits = np.random.default_rng(45).binomial(AUDITS, share, 100_000)
    assert (lows[hits] - LIMITS.fidelity_tolerance > share).mean() < 0.0005
    assert (hits / AUDITS - LIMITS.fidelity_tolerance > share).mean() > 0.05, "the share itself is"


def test_a_restart_loses_nothing() -> None:
    scene, stream = settled(41)
    for number in windows(scene, stream, 400, fidelity={"3": 0.8}, far=0.06):
        if number % 100 == 0:
            assert scene.readings(scene.again()) == scene.readings()
    out = {r.kind for r in scene.readings() if r.out}
    assert {"segment_fidelity", "segment_candidate"} <= out


def test_what_services_count_is_what_is_read() -> None:
    metrics = Metrics(["intent"])
    metrics.routed("intent", "1", 60)
    metrics.routed("intent", "2", 20)
    metrics.routed("intent", "general", 20)
    metrics.routed_by("intent", "v1", 100)
    metrics.unrouted("intent", "far", 3)
    metrics.unrouted("intent", "unsure", 7)
    metrics.unrouted("intent", "failed", 10)
    metrics.segment_audited("intent", "1", 8, 9)
    metrics.segment_audited("intent", "general", 1, 2)
    _, summary = Summaries("classify", metrics).look()
    window = Window().add(Summary.from_json(summary.to_json()))
    assert tallies.segments(window) == {"1": (60, 80), "2": (20, 80)}
    assert tallies.routings(window) == {"v1": 100}
    assert tallies.unrouted(window) == {"far": (3, 100), "unsure": (7, 100), "failed": (10, 100)}
    assert tallies.far(window) == (3, 90)
    assert tallies.segment_audits(window) == {"1": (8, 9), "general": (1, 2)}


def test_a_task_without_segments_reads_as_if_there_were_no_such_thing() -> None:
    scene, bare, stream = Scene(KNOWN), Scene(KNOWN), Stream(42)
    for _ in range(40):
        counts = stream.counts(shares={"1": 1.0}, far=0.5)
        assert not [r for r in scene.readings() if r.kind in KINDS]
        scene.tell({**counts, "routed": {}})
        bare.tell({"audited": counts["audited"]})
        scene.later(10)
        bare.later(10)
    assert scene.readings() == bare.readings()
    assert any(r.kind == "fidelity_broken" for r in bare.readings())


def test_the_reference_begins_with_the_first_routed_tickets() -> None:
    scene, stream = Scene(Expected(segments=SEGMENTS)), Stream(44)
    for _ in range(40):
        scene.tell({"decisions": {"accepted": 20, "deferred": 180}})
        scene.later(10)
    for _ in range(40):
        scene.tell(stream.counts() | {"decisions": {"accepted": 150, "deferred": 50}})
        scene.later(10)
        assert not [r for r in scene.readings() if r.out]
    _, expected = scene.watch.drift(scene.watch.cells(scene.now_ms))
    assert expected["intent"].coverage == pytest.approx(0.75)


def test_the_first_tickets_of_a_task_leave_its_segments_as_they_are() -> None:
    scene, stream = Scene(Expected(segments=SEGMENTS)), Stream(43)
    for _ in range(40):
        scene.tell(stream.counts() | {"decisions": {"accepted": 150, "deferred": 50}})
        scene.later(10)
    _, expected = scene.watch.drift(scene.watch.cells(scene.now_ms))
    found = expected["intent"].segments
    assert expected["intent"].coverage == pytest.approx(0.75)
    assert found is not None
    assert found.shares == SHARES
    assert set(found.audits) == {"1", "2"}, "the others have too few by now"


STATED = 50
RUNS, LONGEST = 60, 600


def at_the_edge(kind: AlarmKind) -> dict[str, Any]:
    """A stream that is stationary and as near to an alarm as one may be that is none."""
    edges: dict[str, dict[str, Any]] = {
        "segment_shift": {"shares": {"1": 0.45, "2": 0.35, "3": 0.15, "4": 0.05}},
        "segment_gone": {"shares": {"1": 0.95, "2": 0.03, "3": 0.015, "4": 0.005}},
        "segment_candidate": {"far": FAR + LIMITS.far_tolerance},
        "segment_fidelity": {"fidelity": dict.fromkeys(SHARES, LOW - LIMITS.fidelity_tolerance)},
    }
    return edges[kind]


FIRST = FirstAudits(290, 300, 0)
LOW = min(FIRST.low, 0.95)
AUDITED = replace(WITH, segments=replace(SEGMENTS, audits=dict.fromkeys(SHARES, FIRST)))


def lengths(tests: Sequence[share_tests.Test], seed: int, **how: Any) -> np.ndarray:
    """Windows until the first of these tests is out, for each run; `LONGEST` at most."""
    stream, found = Stream(seed), []
    for _ in range(RUNS):
        detectors = [test.detector(STATED) for test in tests]
        evidence = [one.start() for one in detectors]
        found.append(LONGEST)
        for step in range(1, LONGEST + 1):
            window = Window(stream.counts(tickets=60, **how))
            counts = [np.array(test.count(window)) for test in tests]
            evidence = [
                one.after(before, [count[:, 0]], [count[:, 1]])
                for one, before, count in zip(detectors, evidence, counts, strict=True)
            ]
            if any(one.out(e, [False])[0] for one, e in zip(detectors, evidence, strict=True)):
                found[-1] = step
                break
    print("stated", STATED, "mean", np.mean(found), "median", np.median(found))
    return np.array(found)


def error(found: np.ndarray) -> float:
    return float(3 * found.std() / math.sqrt(len(found)))


@pytest.mark.parametrize("kind", KINDS)
def test_all_tests_of_a_kind_together_raise_false_alarms_as_rarely_as_stated(
    kind: AlarmKind,
) -> None:
    tests = [test for test in segment_tests(AUDITED, LIMITS) if test.kind == kind]
    assert len(tests) == (1 if kind in ("segment_shift", "segment_candidate") else len(SHARES))
    found = lengths(tests, 51, **at_the_edge(kind))
    assert found.mean() - error(found) >= STATED


def test_tests_that_each_keep_it_alone_raise_too_many_together() -> None:
    # The negative control: the check above must be able to fail.
    tests = [test for test in segment_tests(AUDITED, LIMITS) if test.kind == "segment_fidelity"]
    alone = [replace(test, among=1) for test in tests]
    found = lengths(alone, 52, **at_the_edge("segment_fidelity"))
    assert found.mean() + error(found) < STATED


@pytest.mark.parametrize("seed", range(61, 81))
def test_a_stationary_stream_raises_nothing_in_hours(seed: int) -> None:
    scene, stream = Scene(WITH, Alarms(false_alarm_every=3600)), Stream(seed)
    for number in windows(scene, stream, 360, tickets=40):
        if number % 30 == 0:
            assert not standing(scene.readings(), {}, scene.now_ms)
    assert scene.now_ms == BEGIN + 3_600_000
