"""What is tested of a task's segments: their shares, tickets outside, and fidelity in each."""

from collections.abc import Callable, Iterator, Sequence

from streamer.config.settings import Alarms
from streamer.monitoring import tallies
from streamer.monitoring.alarms.share_tests import Band, Test
from streamer.monitoring.expected import Expected
from streamer.monitoring.expected_segments import FAR, ExpectedSegments
from streamer.monitoring.tallies import Tally
from streamer.monitoring.window import Window

# We choose: a segment dies where a tenth of its tickets is left. One that is rarer than a hundredth
# would have to be watched for days.
LEFT = 0.1
LEAST = 0.01

_NAMED = "tickets of any segment"


def segment_tests(expected: Expected, limits: Alarms) -> Iterator[Test]:
    """One for all shares together, one for tickets outside, and two for each segment."""
    segments = expected.segments
    if segments is None:
        return
    yield _shift(segments, limits)
    yield _candidate(segments, limits)
    yield from _gone(segments)
    yield from _fidelity(segments, expected.fidelity, limits)


def _shift(segments: ExpectedSegments, limits: Alarms) -> Test:
    shares = {segments.called(number): share for number, share in segments.shares.items()}
    bands = [
        Band.around(f"share of {name}", share, limits.segment_tolerance)
        for name, share in {**shares, "any other segment": 0.0}.items()
    ]
    return Test(
        "segment_shift",
        None,
        "warning",
        _NAMED,
        bands,
        _shares(tuple(segments.shares)),
        lately=True,
    )


def _candidate(segments: ExpectedSegments, limits: Alarms) -> Test:
    band = Band("share of tickets that are far out", FAR, 0.0, FAR + limits.far_tolerance)
    return Test(
        "segment_candidate",
        None,
        "warning",
        "tickets",
        [band],
        lambda window: [tallies.far(window)],
        lately=True,
        expects=f"expected is {FAR:.1%} within {limits.far_tolerance:.1%}; they are like none of "
        "the segments: fit the segments again",
    )


def _gone(segments: ExpectedSegments) -> Iterator[Test]:
    watched = {number: share for number, share in segments.shares.items() if share >= LEAST}
    for number, share in watched.items():
        yield Test(
            "segment_gone",
            number,
            "warning",
            _NAMED,
            [Band(f"share of {segments.called(number)}", share, LEFT * share, 1.0)],
            _share(number),
            among=len(watched),
            lately=True,
            expects=f"expected is {share:.1%}; it dies: fit the segments again",
        )


def _fidelity(segments: ExpectedSegments, promised: float | None, limits: Alarms) -> Iterator[Test]:
    """Against what was seen first in each segment, or what is promised of the task, where that is
    less (we choose): a promise for all tickets says nothing about a part of them.
    """
    for number, first in segments.audits.items():
        if number in segments.shares:
            least = first.low if promised is None else min(first.low, promised)
            name = f"fidelity in {segments.called(number)}"
            yield Test(
                "segment_fidelity",
                number,
                "warning",
                "audits",
                [Band(name, first.share, least - limits.fidelity_tolerance, 1.0)],
                _audits(number),
                among=len(segments.shares),
                since_ms=first.until_ms,
                lately=True,
                expects=f"it was {first.share:.1%} of the first {first.total}",
            )


def _shares(numbers: Sequence[str]) -> Callable[[Window], Sequence[Tally]]:
    def count(window: Window) -> Sequence[Tally]:
        shares = tallies.segments(window)
        total = next((tickets for _, tickets in shares.values()), 0)
        hits = [shares.get(number, (0, 0))[0] for number in numbers]
        return [(n, total) for n in (*hits, total - sum(hits))]

    return count


def _share(number: str) -> Callable[[Window], Sequence[Tally]]:
    count = _shares((number,))
    return lambda window: count(window)[:1]


def _audits(number: str) -> Callable[[Window], Sequence[Tally]]:
    return lambda window: [tallies.segment_audits(window).get(number, (0, 0))]
