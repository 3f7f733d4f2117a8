"""What is held against a promise, and what is not."""

from collections.abc import Mapping

from streamer.config.settings import Alarms
from streamer.monitoring.alarms import share_tests
from streamer.monitoring.expected import Audits, Expected
from streamer.monitoring.expected_segments import ExpectedSegments
from streamer.monitoring.view import Promise, ShareView
from streamer.monitoring.views import task_view
from streamer.monitoring.window import Window

PROMISED = Expected(fidelity=0.95, calibration="new")


def audited(**by_calibration: tuple[int, int]) -> Window:
    """Audits (yes, no) by the calibration in force; `plain` are of none."""
    yes, no = (sum(pair[place] for pair in by_calibration.values()) for place in (0, 1))
    counts: dict[str, Mapping[str, int]] = {"audited": {"yes": yes, "no": no}}
    counts["calibration_audited"] = {
        f"{version}/{said}": number
        for version, pair in by_calibration.items()
        if version != "plain"
        for said, number in zip(("yes", "no"), pair, strict=True)
    }
    return Window(counts)


CELLS = [
    (100, audited(old=(1, 9), plain=(0, 5))),
    (200, Window()),
    (300, audited(old=(2, 8), new=(9, 1))),
    (400, audited(new=(20, 0))),
]


def test_a_promise_is_held_to_what_its_own_calibration_accepted() -> None:
    assert PROMISED.audited_in(CELLS).audits == Audits(29, 30, 300)
    assert PROMISED.audited_in(CELLS[:2]).audits is None
    (test,) = [
        one for one in share_tests.tests_of(PROMISED, Alarms()) if one.kind == "fidelity_broken"
    ]
    assert test.count(CELLS[2][1]) == [(9, 10)]


def test_where_a_promise_is_not_of_one_calibration_all_audits_count() -> None:
    routed = Expected(fidelity=0.95, segments=ExpectedSegments("v", {}, {}))
    assert routed.audited_in(CELLS[2:]).audits == Audits(31, 40, 300)


def test_without_a_promise_nothing_is_held_to_anything() -> None:
    assert Expected().audited_in(CELLS).audits is None
    assert task_view(CELLS[0][1], 1.0, Expected()).promise is None


def test_a_promise_is_shown_with_its_audits_and_since_when() -> None:
    seen = task_view(CELLS[3][1], 1.0, PROMISED.audited_in(CELLS))
    assert seen.promise == Promise(ShareView(29 / 30, 29, 30, 0.95), 300)
    unseen = task_view(Window(), 1.0, PROMISED)
    assert unseen.promise == Promise(ShareView(None, 0, 0, 0.95), None)
