"""Everything that is watched, from the windows that are kept."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from streamer.config.settings import Alarms
from streamer.monitoring import tallies
from streamer.monitoring.alarms import processes, rates
from streamer.monitoring.alarms.drift import Cell, TaskDrift
from streamer.monitoring.expected import Expected, first_enough
from streamer.monitoring.reading import Reading
from streamer.monitoring.views import process_views
from streamer.monitoring.windows import LONG, RECENT, Windows, merged

MINUTES_MS = 5 * 60_000
# Summaries come up to a second after their second, and a little more after an outage.
LATE_MS = 5_000


@dataclass(frozen=True, slots=True)
class Cells:
    """The closed windows of a task: the long ones, and from where these end the recent ones."""

    older: list[Cell]
    newer: list[Cell]

    def __iter__(self) -> Iterator[Cell]:
        return chain(self.older, self.newer)

    def after(self, start_ms: int) -> "Cells":
        """Those that begin later."""
        older, newer = ([c for c in cells if c[0] > start_ms] for cells in (self.older, self.newer))
        return Cells(older, newer)

    def served_by(self, version: str | None) -> "Cells":
        """From the first one on in which tickets were routed by this version, and since when by no
        other: while pods are replaced, both are. Without a version, since when by none.
        """
        asked = [(start, tallies.routings(window).keys()) for start, window in self]
        other = max((start for start, versions in asked if versions - {version}), default=-1)
        if version is None:
            return self.after(other)
        mine = (start for start, versions in asked if start > other and version in versions)
        first = next(mine, None)
        return Cells([], []) if first is None else self.after(first - 1)


class Watch:
    """Readings of all alarms. What it says follows from `windows` and the time alone.

    `known` is what is expected of each task, as far as a calibration says it; `stamp` writes a
    time. `retention_s` is that of the judge's topic, None where unknown or without end.
    """

    def __init__(
        self,
        windows: Windows,
        expected: Mapping[str, Expected],
        limits: Alarms,
        stamp: Callable[[int], str],
        retention_s: float | None = None,
    ) -> None:
        self._windows = windows
        self._known = expected
        self._limits = limits
        self._stamp = stamp
        self._retention_s = retention_s
        self._drifts: dict[str, TaskDrift] = {}

    def quick(self, now_ms: int) -> list[Reading]:
        """What changes from second to second."""
        limits = self._limits
        heard = process_views(self._windows.hour(now_ms), now_ms)
        minutes = now_ms - MINUTES_MS
        last = merged(w for _, w in self._windows.among(RECENT, None, minutes, now_ms + LATE_MS))
        readings = [
            *processes.judge_queue(heard, limits, self._retention_s),
            *processes.silent(heard, limits),
            *processes.lost(process_views(last, now_ms)),
            *rates.dead_letters(last, limits),
        ]
        for task in self._windows.tasks():
            window = merged(
                w for _, w in self._windows.among(RECENT, task, minutes, now_ms + LATE_MS)
            )
            readings += rates.abstaining(task, window, limits)
        return readings

    def cells(self, now_ms: int) -> dict[str, Cells]:
        """The closed windows by task: what `drift` needs, taken at one moment."""
        closed = RECENT.start(now_ms - LATE_MS)
        kept = -(-(now_ms - RECENT.keep_ms) // LONG.step_ms) * LONG.step_ms
        return {
            task: Cells(
                list(self._windows.among(LONG, task, now_ms - LONG.keep_ms, kept)),
                list(self._windows.among(RECENT, task, kept, closed)),
            )
            for task in self._windows.tasks()
        }

    def drift(self, cells: Mapping[str, Cells]) -> tuple[list[Reading], dict[str, Expected]]:
        """The tests' readings, and what was expected of each task.

        Takes some milliseconds per task, with many segments a third of a second: so call it once
        per closed window.
        """
        readings: list[Reading] = []
        everything = dict(self._known)
        for task, task_cells in cells.items():
            expected, left = self._expected(task, task_cells)
            drift = self._drifts.setdefault(
                task, TaskDrift(task, self._limits, RECENT.step_ms / 1000)
            )
            everything[task] = expected
            readings += drift.look(expected, left.older, left.newer)
        return readings, everything

    def _expected(self, task: str, cells: Cells) -> tuple[Expected, Cells]:
        """What to expect of a task, and the later cells, which are tested."""
        expected = self._known.get(task, Expected())
        cells = cells.after(expected.since_ms)
        # Another set of workers may have voted until this version was served.
        cells = cells.served_by(expected.routing)
        first = None if expected.complete else first_enough(cells)
        expected = expected.audited_in(cells)
        if first is None:
            return expected, cells
        start, window = first
        began = next(iter(cells))[0]
        return expected.or_from(window, self._stamp(began)), cells.after(start)
