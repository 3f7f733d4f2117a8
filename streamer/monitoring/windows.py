"""All windows that are kept, in two resolutions."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

from streamer.monitoring.window import Heard, Window
from streamer.records.summary import Summary

Table = MutableMapping[str, dict[str, Any]]
Sums = defaultdict[str, Counter[str]]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Windows of `step_ms`, kept for `keep_ms` milliseconds."""

    step_ms: int
    keep_ms: int

    def start(self, at_ms: int) -> int:
        """When the window began that holds this moment."""
        return at_ms // self.step_ms * self.step_ms

    def keeps(self, start_ms: int, now_ms: int) -> bool:
        """Whether a window is kept; one from a clock that is far ahead is not, nor a stale one."""
        return now_ms - self.keep_ms <= start_ms <= now_ms + self.keep_ms


RECENT = Resolution(10_000, 3_600_000)
LONG = Resolution(300_000, 7 * 86_400_000)


@dataclass(slots=True)
class Taken:
    """What became of summaries: added, taken before, or too old (or too far ahead) to be kept."""

    added: int = 0
    repeated: int = 0
    stale: int = 0


class Windows:
    """Windows of every task by `<task>/<start>`, and those of the processes by `/<start>`.

    `recent` and `long` are tables; each value is replaced as a whole and never changed in place.
    All times are in milliseconds since the epoch. The windows follow from the summaries alone, in
    any order and with any repeats, as far as they are kept.
    """

    def __init__(self, recent: Table, long: Table) -> None:
        self._tables = ((RECENT, recent), (LONG, long))
        self._swept_ms = 0

    def take(self, summaries: Iterable[Summary], now_ms: int) -> Taken:
        """Add summaries, writing each window once, and let go of windows that are too old."""
        taken, touched = Taken(), _Touched()
        for summary in summaries:
            targets = [
                (table, _key(summary.task, resolution.start(summary.at_ms)))
                for resolution, table in self._tables
                if resolution.keeps(resolution.start(summary.at_ms), now_ms)
            ]
            fresh = [touched.add(table, key, summary) for table, key in targets]
            taken.added += any(fresh)
            taken.repeated += bool(targets) and not any(fresh)
            taken.stale += not targets
        touched.write()
        self._sweep(now_ms)
        return taken

    def tasks(self) -> set[str]:
        """The tasks of which anything is kept."""
        return {task for _, table in self._tables for key in table for task in _task(key) if task}

    def among(
        self, resolution: Resolution, task: str | None, start_ms: int, end_ms: int
    ) -> Iterator[tuple[int, Window]]:
        """(start, window) of the windows that begin at `start_ms` or later and before `end_ms`."""
        table = next(table for kept, table in self._tables if kept == resolution)
        first = -(-max(start_ms, end_ms - 2 * resolution.keep_ms) // resolution.step_ms)
        for start in range(first * resolution.step_ms, end_ms, resolution.step_ms):
            value = table.get(_key(task, start))
            if value is not None:
                yield start, Window.from_value(value)

    def hour(self, now_ms: int) -> Window:
        """The processes' windows of about the last hour. The long ones: this is asked every second,
        and the small ones of forty processes would take a third of it.
        """
        start = now_ms - RECENT.keep_ms
        return merged(w for _, w in self.among(LONG, None, start, now_ms + 1))

    def _sweep(self, now_ms: int) -> None:
        if RECENT.start(now_ms) == self._swept_ms:
            return
        self._swept_ms = RECENT.start(now_ms)
        for resolution, table in self._tables:
            for key in [key for key in table if not resolution.keeps(_start(key), now_ms)]:
                del table[key]


class _Touched:
    """Windows that change in one go."""

    def __init__(self) -> None:
        self._windows: dict[tuple[int, str], tuple[Table, Window]] = {}
        self._changed: set[tuple[int, str]] = set()

    def add(self, table: Table, key: str, summary: Summary) -> bool:
        """Whether the summary was new to the window."""
        window_key = (id(table), key)
        if window_key not in self._windows:
            value = table.get(key)
            self._windows[window_key] = (
                table,
                Window() if value is None else Window.from_value(value),
            )
        before = self._windows[window_key][1]
        after = before.add(summary)
        if after is before:
            return False
        self._windows[window_key] = (table, after)
        self._changed.add(window_key)
        return True

    def write(self) -> None:
        for window_key in self._changed:
            table, window = self._windows[window_key]
            table[window_key[1]] = window.to_value()


def merged(windows: Iterable[Window]) -> Window:
    """All of them together: as their sum, without a copy for each of them."""
    counts: Sums = defaultdict(Counter)
    latency: Sums = defaultdict(Counter)
    heard: dict[str, Heard] = {}
    for window in windows:
        for sums, more in ((counts, window.counts), (latency, window.latency)):
            for family, named in more.items():
                sums[family].update(named)
        for process, last in window.heard.items():
            earlier = heard.get(process)
            heard[process] = last if earlier is None else earlier + last
    return Window(dict(counts), dict(latency), heard)


def _key(task: str | None, start_ms: int) -> str:
    return f"{task or ''}/{start_ms}"


def _start(key: str) -> int:
    return int(key.rpartition("/")[2])


def _task(key: str) -> tuple[str, ...]:
    return (key.rpartition("/")[0],)
