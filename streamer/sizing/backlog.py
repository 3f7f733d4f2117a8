"""What piles up while more comes than is served, and how old it gets."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Phase:
    """From `start` (seconds) until the next phase so many a second come, and so many are served
    at most.
    """

    start: float
    arrive: float
    serve: float


@dataclass(frozen=True, slots=True)
class BurstBacklog:
    """The most that waited at once, the greatest age in seconds that anything had when it was
    served, and when the queue was empty again, in seconds from the first phase; never is infinity.
    """

    most: float
    oldest: float
    empty_at: float

    @classmethod
    def of(cls, phases: Sequence[Phase]) -> "BurstBacklog":
        """Of a first-in, first-out queue that is empty when the first phase begins.

        A deterministic fluid queue (Newell, "Applications of Queueing Theory", 1982, chapter 2):
        the vertical distance between what has come and what was served is the queue, the
        horizontal one the age. Both are piecewise linear, so that the extremes lie at their
        corners. Chance is left out: it matters near a full load, and not for a queue of minutes.
        """
        if phases[-1].serve < phases[-1].arrive:
            return cls(inf, inf, inf)
        arrivals, departures = _curves(phases)
        most = max(above[1] - below[1] for above, below in zip(arrivals, departures, strict=True))
        if arrivals[-1][1] > departures[-1][1]:
            return cls(most, inf, inf)
        levels = {count for _, count in (*arrivals, *departures) if count <= departures[-1][1]}
        oldest = max(_last_at(departures, level) - _first_at(arrivals, level) for level in levels)
        return cls(most, max(oldest, 0.0), _empty_at(arrivals, departures))


def _curves(phases: Sequence[Phase]) -> tuple[Points, Points]:
    """How many have come and how many were served, at every corner of either."""
    now, came, served = phases[0].start, 0.0, 0.0
    arrivals, departures = [(now, came)], [(now, served)]
    for phase, end in zip(phases, _ends(phases), strict=True):
        for until, serve in _pieces(phase, now, end, came - served):
            came += phase.arrive * (until - now)
            # What is left of a subtraction of large numbers would be a queue that never empties.
            served = came if serve is None else served + serve * (until - now)
            now = until
            arrivals.append((now, came))
            departures.append((now, served))
    return arrivals, departures


def _ends(phases: Sequence[Phase]) -> Iterator[float | None]:
    yield from (later.start for later in phases[1:])
    yield None


def _pieces(
    phase: Phase, now: float, end: float | None, queue: float
) -> Iterator[tuple[float, float | None]]:
    """Until when a phase serves how many a second; None for all that has come by then.

    The last phase has no end: it lasts until the queue is empty, where it ever is.
    """
    spare = phase.serve - phase.arrive
    if queue <= 0 and spare >= 0:
        yield (now if end is None else end), None
        return
    empty = now + queue / spare if spare > 0 else inf
    if end is not None and end <= empty:
        yield end, phase.serve
    elif empty < inf:
        yield empty, None
        yield (empty if end is None else end), None


def _first_at(curve: Points, level: float) -> float:
    """When a curve first came up to a level."""
    counts = [count for _, count in curve]
    index = bisect_left(counts, level)
    return _between(curve, index, level)


def _last_at(curve: Points, level: float) -> float:
    """When a curve last was at a level: what stands there leaves no sooner."""
    counts = [count for _, count in curve]
    index = bisect_right(counts, level)
    return curve[index - 1][0] if counts[index - 1] == level else _between(curve, index, level)


def _between(curve: Points, index: int, level: float) -> float:
    moment, count = curve[index]
    if count == level or index == 0:
        return moment
    before, less = curve[index - 1]
    return before + (moment - before) * (level - less) / (count - less)


def _empty_at(came: Points, served: Points) -> float:
    """The corner after the last at which anything waited."""
    empty = came[0][0]
    for (_, count), (_, done), (later, _) in zip(came, served, came[1:], strict=False):
        if count > done:
            empty = later
    return empty
