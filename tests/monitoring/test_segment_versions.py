"""One version of the segments after another, on and off: each is held to its own tickets."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from streamer.monitoring.alarms.watch import Watch
from streamer.monitoring.expected import Expected
from streamer.monitoring.reading import Reading
from tests.monitoring.scene import KNOWN, LIMITS, Scene
from tests.monitoring.segmented import SEGMENTS, TICKETS, WITH, settled, windows

MIX = {"1": 0.1, "2": 0.3, "3": 0.55, "4": 0.05}
LATER = replace(WITH, segments=replace(SEGMENTS, version="v2", shares=MIX))


def watching(scene: Scene, known: Expected) -> Watch:
    return Watch(scene.windows, {"intent": known}, LIMITS, str)


def out(scene: Scene, watch: Watch) -> list[Reading]:
    return [reading for reading in scene.readings(watch) if reading.out]


def test_what_another_version_routed_is_not_held_against_this_one() -> None:
    scene, stream = settled(40)
    watch = watching(scene, LATER)
    mistaken = replace(LATER, segments=replace(SEGMENTS, shares=MIX))
    assert out(scene, watching(scene, mistaken)), "it would be a shift"
    for _ in windows(scene, stream, 30):
        scene.tell(stream.counts(shares=MIX, version="v2"), process="a new pod")
        assert not out(scene, watch), "both route while pods are replaced"
    begun_ms = scene.now_ms
    for _ in windows(scene, stream, 30, shares=MIX, version="v2"):
        assert not out(scene, watch)
    for _ in windows(scene, stream, 30, version="v2"):
        pass
    (shift,) = out(scene, watch)
    assert shift.kind == "segment_shift"
    assert (shift.since_ms or 0) > begun_ms
    assert scene.readings(watching(scene, LATER)) == scene.readings(watch), "after a restart, too"


def test_after_a_rollback_the_version_before_begins_anew() -> None:
    scene, stream = settled(46)
    for _ in windows(scene, stream, 30, shares=MIX, version="v2"):
        assert not out(scene, scene.watch), "not by a monitor of the one before"
    for _ in windows(scene, stream, 30):
        assert not out(scene, scene.watch)
    for _ in windows(scene, stream, 30, shares=MIX):
        pass
    assert "segment_shift" in [reading.kind for reading in out(scene, scene.watch)]


def test_what_was_routed_is_not_held_against_one_way_for_all() -> None:
    print("seed 47")
    scene, some = Scene(WITH), np.random.default_rng(47)
    off = watching(scene, KNOWN)

    def decide(coverage: float, **routed: Mapping[str, int]) -> list[Reading]:
        accepted = int(some.binomial(TICKETS, coverage))
        scene.tell({"decisions": {"accepted": accepted, "deferred": TICKETS - accepted}, **routed})
        scene.later(10)
        return out(scene, off)

    for _ in range(30):
        assert not decide(0.5, routed={"v1": TICKETS})
    for _ in range(30):
        assert not decide(0.8)
    found = [reading.kind for _ in range(30) for reading in decide(0.5)]
    assert set(found) == {"coverage_drift"}
