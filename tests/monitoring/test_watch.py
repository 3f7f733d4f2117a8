"""What is raised, when, and when it ends: from windows alone."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, get_args

import pytest

from streamer.monitoring.alarms.watch import LATE_MS, Watch
from streamer.monitoring.expected import ENOUGH, Expected
from streamer.monitoring.windows import RECENT
from streamer.records.alarm import AlarmKind
from tests.monitoring.scene import BEGIN, KNOWN, LIMITS, Counts, Scene
from tests.monitoring.segmented import settled, windows

KINDS = get_args(AlarmKind)


def tickets(some: random.Random, count: int, **shares: float) -> Counts:
    """What a second with so many tickets counts, where all is as `KNOWN` but the given shares."""

    def hits(share: float, of: int = count) -> int:
        return sum(some.random() < share for _ in range(of))

    accepted, agreed = hits(shares.get("coverage", 0.8)), hits(shares.get("agreement", 0.9))
    audits = hits(0.2)
    right = hits(shares.get("fidelity", 0.96), audits)
    bug = hits(shares.get("bug", 0.5))
    question = hits(0.6, count - bug)
    return {
        "decisions": {"accepted": accepted, "deferred": count - accepted},
        "agreements": {"a/b/yes": agreed, "a/b/no": count - agreed},
        "audited": {"yes": right, "no": audits - right},
        "published": {"bug": bug, "question": question, "refund": count - bug - question},
    }


def seconds(scene: Scene, some: random.Random, cells: int, **shares: float) -> Iterator[int]:
    """Ten seconds with 100 tickets each time; yields which."""
    for cell in range(cells):
        for _ in range(10):
            scene.tell(tickets(some, 10, **shares))
            scene.later(1)
        yield cell


DRIFTS: Sequence[tuple[AlarmKind, Mapping[str, float]]] = (
    ("coverage_drift", {"coverage": 0.6}),
    ("agreement_drift", {"agreement": 0.7}),
    ("label_shift", {"bug": 0.8}),
    ("fidelity_broken", {"fidelity": 0.75}),
)


@pytest.mark.parametrize(("kind", "shares"), DRIFTS)
def test_a_planted_drift_is_found_and_ends(kind: AlarmKind, shares: Mapping[str, float]) -> None:
    scene, some = Scene(), random.Random(5)
    for _ in seconds(scene, some, 20):
        pass
    assert not scene.raised(kind)
    cell = next(c for c in seconds(scene, some, 60, **shares) if scene.raised(kind))
    print(kind, "found after", (cell + 1) * 10, "s at 10 tickets per second")
    (alarm,) = scene.raised(kind)
    assert (alarm.task, alarm.false_alarm_every_s) == ("intent", LIMITS.false_alarm_every)
    assert scene.raised("coverage_drift") == ([alarm] if kind == "coverage_drift" else [])
    assert next(c for c in seconds(scene, some, 120) if not scene.raised(kind)) > 0


def test_nothing_is_raised_while_all_is_as_expected() -> None:
    scene, some = Scene(), random.Random(6)
    for _ in seconds(scene, some, 60):
        assert not [r for r in scene.readings() if r.out]


def test_what_was_before_a_calibration_is_not_held_against_it() -> None:
    scene, some = Scene(), random.Random(7)
    for _ in seconds(scene, some, 90, coverage=0.6):
        pass
    assert scene.raised("coverage_drift")
    made_ms = scene.now_ms
    new = replace(KNOWN, coverage=0.7, since_ms=made_ms)
    watch = Watch(scene.windows, {"intent": new}, LIMITS, str)
    for _ in seconds(scene, some, 20, coverage=0.7):
        assert not [r for r in scene.readings(watch) if r.out]
    for _ in seconds(scene, some, 20, coverage=0.4):
        pass
    (drift,) = [r for r in scene.readings(watch) if r.kind == "coverage_drift"]
    assert drift.out
    assert (drift.since_ms or 0) >= made_ms


def test_what_is_said_is_held_against_the_nearest_end() -> None:
    scene, some = Scene(), random.Random(5)
    for _ in seconds(scene, some, 40, coverage=0.6, bug=0.9):
        pass
    (alarm,) = scene.raised("coverage_drift")
    assert alarm.limit == pytest.approx(0.75)
    assert alarm.value == pytest.approx(0.6, abs=0.05)
    assert "expected is 80.0% within 5.0%" in alarm.text
    (alarm,) = scene.raised("label_shift")
    assert alarm.value == pytest.approx(0.9, abs=0.05)
    assert "'bug'" in alarm.text


def test_a_label_that_nobody_expects_is_a_shift() -> None:
    scene = Scene()
    for _ in range(30):
        scene.tell({"published": {"bug": 50, "question": 30, "refund": 20, "spam": 30}})
        scene.later(10)
    (alarm,) = scene.raised("label_shift")
    assert "any other label" in alarm.text


def test_a_restart_loses_nothing() -> None:
    scene, some = Scene(), random.Random(8)
    for cell in seconds(scene, some, 450, coverage=0.7):
        if cell % 90 == 0 and cell:
            # Of windows alone, in two resolutions by now.
            assert scene.readings(scene.again()) == scene.readings()
    assert [r.out for r in scene.readings() if r.kind == "coverage_drift"] == [True]


def test_without_a_calibration_the_first_tickets_are_the_reference() -> None:
    scene, some = Scene(known=None), random.Random(9)
    for _ in seconds(scene, some, ENOUGH // 100 - 1, coverage=0.5):
        pass
    scene.later(LATE_MS / 1000)
    _, expected = scene.watch.drift(scene.watch.cells(scene.now_ms))
    assert expected["intent"] == Expected()
    for _ in seconds(scene, some, 20, coverage=0.5):
        pass
    _, expected = scene.watch.drift(scene.watch.cells(scene.now_ms))
    assert expected["intent"].coverage == pytest.approx(0.5, abs=0.05)
    assert expected["intent"].fidelity is None
    assert expected["intent"].source == f"the first {ENOUGH + 50} labels since {BEGIN} ms"
    assert not scene.raised("coverage_drift")
    assert any(scene.raised("coverage_drift") for _ in seconds(scene, some, 60, coverage=0.8))


def test_the_reference_itself_is_hardly_ever_off_by_the_tolerance() -> None:
    five_errors = 5 * (0.25 / ENOUGH) ** 0.5
    tolerances = (LIMITS.coverage_tolerance, LIMITS.agreement_tolerance, LIMITS.label_tolerance)
    assert five_errors <= min(tolerances)


def test_a_worker_that_abstains_is_named_until_it_votes_again() -> None:
    scene = Scene()
    votes = {"a/given": 100, "b/given": 90, "b/abstained": 10}
    scene.tell({"ballots": votes})
    (alarm,) = scene.raised("worker_abstains")
    assert (alarm.task, alarm.subject, alarm.value) == ("intent", "b", 0.1)
    scene.tell({"ballots": {"b/given": 200}})
    assert scene.raised("worker_abstains"), "it must not flap between the limit and its half"
    scene.tell({"ballots": {"b/given": 200}})
    assert not scene.raised("worker_abstains")
    scene.tell({"ballots": {"c/given": 10, "c/abstained": 9}})
    assert not scene.raised("worker_abstains"), "too few votes to say"


def test_few_tickets_raise_nothing_and_end_nothing() -> None:
    scene = Scene()
    scene.tell({"ballots": {"b/abstained": 30}})
    scene.tell({"records": {"main": 30}, "dead": {"no text": 30}}, task=None)
    assert scene.raised("worker_abstains")
    assert scene.raised("dead_letters")
    for _ in range(30):
        scene.later(60)
        scene.tell({"ballots": {"b/abstained": 1}})
        scene.tell({"records": {"main": 1}, "dead": {"no text": 1}}, task=None)
        assert scene.raised("worker_abstains"), "it must not end because the night is quiet"
        assert scene.raised("dead_letters")
    scene.later(400)
    scene.tell({"ballots": {"b/given": 5}})
    scene.tell({"records": {"main": 5}}, task=None)
    assert not scene.raised("worker_abstains")
    assert not scene.raised("dead_letters")


def test_the_judge_queue_by_its_age_and_by_what_kafka_keeps() -> None:
    scene = Scene(retention_s=2000)
    for age, severity in ((200, None), (301, "warning"), (501, "critical"), (260, "warning")):
        scene.later(1)
        scene.tell({}, task=None, process="j", service="judge", gauges={"oldest_s": age})
        found = [alarm.severity for alarm in scene.raised("judge_queue_old")]
        assert found == ([] if severity is None else [severity])
    scene.later(1)
    scene.tell({}, task=None, process="j", service="judge", gauges={"oldest_s": 0})
    assert not scene.raised("judge_queue_old")
    short = Scene(retention_s=400)
    short.tell({}, task=None, process="j", service="judge", gauges={"oldest_s": 150})
    (alarm,) = short.raised("judge_queue_old")
    assert (alarm.limit, alarm.severity) == (100, "critical")


def test_dead_letters_are_an_alarm_with_their_reasons() -> None:
    scene = Scene()
    scene.tell({"records": {"": 10}, "dead": {"no text": 1}}, task=None)
    assert not scene.raised("dead_letters"), "one of ten says nothing"
    scene.tell({"records": {"": 90}, "dead": {"no text": 2, "too large": 1}}, task=None)
    (alarm,) = scene.raised("dead_letters")
    assert (alarm.value, alarm.limit) == (0.04, LIMITS.dead_letters)
    assert "no text 3, too large 1" in alarm.text
    scene.later(400)
    scene.tell({"records": {"": 100}}, task=None)
    assert not scene.raised("dead_letters")


def test_a_service_is_silent_when_all_of_its_processes_are() -> None:
    scene = Scene()
    for process in ("p", "q"):
        scene.tell({}, task=None, process=process)
    scene.tell({}, task=None, process="j", service="judge")
    for _ in range(20):
        scene.later(1)
        scene.tell({}, task=None, process="p")
    (alarm,) = scene.raised("service_silent")
    assert (alarm.subject, alarm.severity) == ("judge", "critical")
    scene.tell({}, task=None, process="j2", service="judge")
    assert not scene.raised("service_silent"), "another one took over"


def test_a_service_that_was_stopped_is_given_up() -> None:
    scene = Scene()
    scene.tell({}, task=None)
    scene.later(60)
    assert scene.raised("service_silent")
    scene.later(RECENT.keep_ms / 1000)
    scene.windows.take([], scene.now_ms)
    assert not scene.raised("service_silent")


def test_lost_summaries_are_told() -> None:
    scene = Scene()
    scene.tell({}, task=None)
    scene.tell({}, task=None, lose=5)
    assert not scene.raised("summaries_lost")
    scene.later(60)
    scene.tell({}, task=None, lose=1)
    (alarm,) = scene.raised("summaries_lost")
    assert alarm.value == 6
    scene.later(400)
    scene.tell({}, task=None)
    assert not scene.raised("summaries_lost")


def test_an_alarm_keeps_its_beginning() -> None:
    scene = Scene()
    scene.tell({}, task=None)
    scene.later(60)
    assert scene.raised("service_silent")
    began = dict(scene.stood)
    scene.later(60)
    assert scene.raised("service_silent")
    assert scene.stood == began


def drifted(**shares: float) -> Scene:
    scene, some = Scene(), random.Random(5)
    for _ in seconds(scene, some, 30, **shares):
        pass
    return scene


def of_segments(**how: Any) -> Scene:
    scene, stream = settled(33)
    for _ in windows(scene, stream, 60, **how):
        pass
    return scene


def told(*counts: Counts, task: str | None = None, then_s: float = 0, **how: Any) -> Scene:
    scene = Scene()
    for one in counts:
        scene.tell(one, task=task, **how)
    scene.later(then_s)
    return scene


def lost() -> Scene:
    scene = told({})
    for _ in range(2):
        scene.later(60)
        scene.tell({}, task=None, lose=5)
    return scene


CAUSES: Mapping[AlarmKind, Callable[[], Scene]] = {
    **{kind: partial(drifted, **shares) for kind, shares in DRIFTS},
    "segment_shift": partial(of_segments, shares={"1": 0.1, "2": 0.7, "3": 0.15, "4": 0.05}),
    "segment_gone": partial(of_segments, shares={"1": 0.5, "2": 0.3, "3": 0.2, "4": 0}),
    "segment_candidate": partial(of_segments, far=0.2),
    "segment_fidelity": partial(of_segments, fidelity={"1": 0.2}),
    "worker_abstains": partial(told, {"ballots": {"b/abstained": 100}}, task="intent"),
    "judge_queue_old": partial(told, {}, process="j", service="judge", gauges={"oldest_s": 900}),
    "dead_letters": partial(told, {"records": {"": 100}, "dead": {"no text": 50}}),
    "service_silent": partial(told, {}, then_s=60),
    "summaries_lost": lost,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_alarm_has_a_cause_that_raises_it(kind: AlarmKind) -> None:
    assert kind in {reading.kind for reading in CAUSES[kind]().readings() if reading.out}
