"""Whether a task's shares have left what is expected of them, by tests that hold at all times."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.config.settings import Alarms
from streamer.monitoring.alarms.e_detector import EDetector, Evidence
from streamer.monitoring.alarms.segment_tests import segment_tests
from streamer.monitoring.alarms.share_tests import Band, Test, tests_of
from streamer.monitoring.expected import Expected
from streamer.monitoring.reading import Reading
from streamer.monitoring.tallies import Tally
from streamer.monitoring.window import Window

Cell = tuple[int, Window]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A test after some cells: its evidence, since when it is out, and the sums of its shares."""

    evidence: Evidence
    since_ms: int | None
    sums: Sequence[Tally]


class TaskDrift:
    """The tests of one task. They begin anew with every look, from the cells alone.

    A test steps once per cell with tickets. So, with cells of `step_s` seconds or more, it raises a
    false alarm `limits.false_alarm_every` seconds apart on average, or less often.
    """

    def __init__(self, task: str, limits: Alarms, step_s: float) -> None:
        self._task = task
        self._limits = limits
        self._run_length = limits.false_alarm_every / step_s
        self._known: tuple[object, list[_Seen]] = (None, [])

    def look(
        self, expected: Expected, older: Sequence[Cell], newer: Sequence[Cell]
    ) -> list[Reading]:
        """Readings after `older` cells and then `newer` ones, all of them closed.

        What the older ones say is kept for as long as they begin and end at the same times.
        """
        tests = [*tests_of(expected, self._limits), *segment_tests(expected, self._limits)]
        begun = [_Begun(test, test.detector(self._run_length)) for test in tests]
        cells_seen = (expected, [start for start, _ in (*older[:1], *older[-1:])])
        if self._known[0] != cells_seen:
            self._known = (
                cells_seen,
                [begun_test.fold(begun_test.nothing(), older) for begun_test in begun],
            )
        return [
            reading
            for begun_test, before in zip(begun, self._known[1], strict=True)
            for reading in self._read(begun_test.test, before, begun_test.fold(before, newer))
        ]

    def _read(self, test: Test, before: _Seen, after: _Seen) -> Iterator[Reading]:
        sums = after.sums or before.sums
        if not sums or not sums[0][1]:
            return
        shares = [hits / total for hits, total in sums]
        band, share = max(
            zip(test.bands, shares, strict=True), key=lambda pair: pair[0].excess(pair[1])
        )
        yield Reading(
            kind=test.kind,
            task=self._task,
            subject=test.subject,
            severity=test.severity,
            value=share,
            limit=band.high if share > band.expected else band.low,
            text=_text(test, band, share, sums[0][1], bool(after.sums)),
            out=after.since_ms is not None,
            since_ms=after.since_ms,
            false_alarm_every_s=self._limits.false_alarm_every,
        )


@dataclass(frozen=True, slots=True)
class _Begun:
    """A test and what watches it."""

    test: Test
    detector: EDetector

    def nothing(self) -> _Seen:
        return _Seen(self.detector.start(), None, ())

    def fold(self, seen: _Seen, cells: Iterable[Cell]) -> _Seen:
        evidence, since_ms = seen.evidence, seen.since_ms
        sums = np.zeros((len(self.test.bands), 2), np.int64)
        for start, window in cells:
            counts = np.array(self.test.count(window))
            if start <= self.test.since_ms or not counts[:, 1].any():
                continue
            evidence = self.detector.after(evidence, [counts[:, 0]], [counts[:, 1]])
            # An alarm that stands would end with less than half of the evidence.
            half = not self.test.lately or bool(self.detector.out(evidence, [True])[0])
            sums = sums + counts if half else np.zeros_like(counts)
            out = bool(self.detector.out(evidence, [since_ms is not None])[0])
            since_ms = (start if since_ms is None else since_ms) if out else None
        tallies = [(hits, total) for hits, total in sums.tolist()] if sums.any() else []
        return _Seen(evidence, since_ms, tallies)


def _text(test: Test, band: Band, share: float, total: int, recent: bool) -> str:
    within = "" if band.high >= 1 else f" within {band.high - band.expected:.1%}"
    least = "at least " if band.high >= 1 else ""
    now = "lately" if test.lately else "of the last hour"
    when = now if recent else "before the last hour"
    expects = test.expects or f"expected is {least}{band.expected:.1%}{within}"
    return f"{band.name} is {share:.1%} of {total} {test.what} {when}; {expects}"
