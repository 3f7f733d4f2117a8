"""Windows hold each summary once, however often and in whatever order they come."""

import random
from collections import Counter
from collections.abc import Iterable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.monitoring.window import Window
from streamer.monitoring.windows import LONG, RECENT, Resolution, Table, Windows, merged
from streamer.records.summary import Summary
from tests.monitoring.planted import TASKS, one, recount, shaken, storm

NOW = 1_700_000_000_000
EVERYTHING = (None, *TASKS)


def sums(windows: Windows, resolution: Resolution) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for task in EVERYTHING:
        window = merged(w for _, w in windows.among(resolution, task, 0, NOW + 1))
        for counts in (window.counts, window.latency):
            for family, named in counts.items():
                for name, n in named.items():
                    found[task or "", family, name] += n
    return +found


def through_json(table: Table) -> Table:
    """As it comes back from a changelog."""
    made: Table = orjson.loads(orjson.dumps(table))
    return made


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.integers(1, 40))
def test_sums_are_a_plain_recount_whatever_comes_again_in_whatever_order(
    seed: int, count: int, at_once: int
) -> None:
    some = random.Random(seed)
    told = list(storm(count, NOW, every_ms=some.choice((300, 1000, 7000)), seed=seed))
    recent, long = {}, {}  # type: Table, Table
    read, left = [], shaken(told, some)
    while left:
        batch, left = left[:at_once], left[at_once:]
        read += batch
        Windows(recent, long).take(batch, NOW)
        if some.random() < 0.2:
            # It ends, and begins again with what the tables' topics hold, a little behind.
            recent, long = through_json(recent), through_json(long)
            left = [*read[-at_once:], *left]
    windows = Windows(recent, long)
    assert sums(windows, RECENT) == sums(windows, LONG) == recount(told)


def test_taking_is_counted() -> None:
    windows, told = Windows({}, {}), list(storm(30, NOW))
    taken = windows.take([*told, *told[:10]], NOW)
    assert (taken.added, taken.repeated, taken.stale) == (30, 10, 0)
    ancient = [
        one(random.Random(1), "p", "classify", "intent", 1, NOW - LONG.keep_ms - LONG.step_ms)
    ]
    astray = [
        one(random.Random(1), "p", "classify", "intent", 2, NOW + LONG.keep_ms + LONG.step_ms)
    ]
    taken = windows.take([*ancient, *astray], NOW)
    assert (taken.added, taken.repeated, taken.stale) == (0, 0, 2)


def test_a_late_one_is_kept_where_its_time_still_is() -> None:
    recent, long = {}, {}  # type: Table, Table
    late = one(
        random.Random(1), "p", "classify", "intent", 1, NOW - RECENT.keep_ms - RECENT.step_ms
    )
    assert Windows(recent, long).take([late], NOW).added == 1
    assert not recent
    assert [*long] == [f"intent/{LONG.start(late.at_ms)}"]


def test_old_windows_go() -> None:
    recent, long = {}, {}  # type: Table, Table
    windows = Windows(recent, long)
    windows.take(storm(40, NOW), NOW)
    later = NOW + RECENT.keep_ms + 2 * LONG.step_ms
    windows.take([], later)
    assert not recent
    assert long
    windows.take([], later + LONG.keep_ms)
    assert not long


def test_a_summary_belongs_to_the_window_of_its_own_time() -> None:
    windows = Windows({}, {})
    start = RECENT.start(NOW)
    told = [
        one(random.Random(n), "p", "classify", "intent", n, at)
        for n, at in enumerate((start - 1, start, start + RECENT.step_ms - 1), 1)
    ]
    windows.take(reversed(told), NOW)
    found = dict(windows.among(RECENT, "intent", 0, NOW + 1))
    assert {at: [*w.heard["p"].runs] for at, w in found.items()} == {
        start - RECENT.step_ms: [(1, 1)],
        start: [(2, 3)],
    }


def numbered(numbers: Iterable[int]) -> list[Summary]:
    return [one(random.Random(n), "p", "judge", None, n, NOW + 40 * n) for n in numbers]


@given(st.sets(st.integers(1, 60), min_size=1), st.randoms(use_true_random=False))
def test_gaps_are_counted_within_and_between_windows(taken: set[int], some: random.Random) -> None:
    told = numbered(taken)
    some.shuffle(told)
    windows = Windows({}, {})
    windows.take(told, NOW)
    heard = merged(w for _, w in windows.among(RECENT, None, 0, NOW + 60_000)).heard["p"]
    assert heard.lost == max(taken) - min(taken) + 1 - len(taken)
    assert heard.at_ms == NOW + 40 * max(taken)


def test_gauges_are_those_of_the_newest() -> None:
    first, second, third = numbered((1, 2, 3))
    for order in ((first, third, second), (third, second, first), (second, first, third)):
        window = Window()
        for summary in order:
            window = window.add(summary)
        assert window.heard["p"].gauges == third.gauges


def test_a_window_is_the_same_after_json() -> None:
    window = Window()
    for summary in storm(20, NOW):
        window = window.add(summary)
    assert Window.from_value(orjson.loads(orjson.dumps(window.to_value()))) == window


@pytest.mark.parametrize("seed", range(3))
def test_the_recount_would_see_what_is_counted_twice(seed: int) -> None:
    # The negative control.
    told = list(storm(60, NOW, seed=seed))
    assert recount(shaken(told, random.Random(seed)), once=False) != recount(told)


def test_the_last_hour_of_the_processes_is_the_same_from_few_windows() -> None:
    end_ms = LONG.start(1_700_000_000_000)
    windows = Windows({}, {})
    windows.take(storm(3000, end_ms, every_ms=10_000), end_ms)
    small = merged(w for _, w in windows.among(RECENT, None, 0, end_ms + 1))
    assert windows.hour(end_ms).heard == small.heard
