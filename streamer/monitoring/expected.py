"""What the shares of a task should be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from streamer.monitoring import tallies
from streamer.monitoring.expected_segments import ExpectedSegments
from streamer.monitoring.window import Window
from streamer.monitoring.windows import merged

# Of so many a share's standard error is under a fifth of the default tolerances. Fewer would do for
# once; but after a week a new reference is taken every five minutes.
ENOUGH = 3000


@dataclass(frozen=True, slots=True)
class Audits:
    """The judge agreed with `hits` of `total`; the first is in the window from `since_ms` on."""

    hits: int
    total: int
    since_ms: int


@dataclass(frozen=True, slots=True)
class Expected:
    """Shares to expect, as far as they are known.

    `fidelity` is what was promised, by the `calibration` of this version where the task is served
    in one way, and `audits` are those since it is served. The others are what was seen: `coverage`
    of the rule, `agreement` by `<one>/<other>` worker, and `labels` among what is published, of
    which `source` says where they were seen. `since_ms` is when they were made: what was before
    followed others.
    `segments` are those of the task, None where it has none.
    """

    coverage: float | None = None
    fidelity: float | None = None
    agreement: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, float] | None = None
    source: str | None = None
    since_ms: int = 0
    segments: ExpectedSegments | None = None
    calibration: str | None = None
    audits: Audits | None = None

    @property
    def routing(self) -> str | None:
        """The version that the task is routed by; None where it is not."""
        return None if self.segments is None else self.segments.version

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be taken from the first windows."""
        return self.coverage is not None and self.labels is not None and bool(self.agreement)

    def or_from(self, window: Window, since: str) -> "Expected":
        """With what is missing taken from a window, the first since a time."""
        shares = {
            pair: hits / tickets
            for pair, (hits, tickets) in tallies.agreements(window).items()
            if tickets
        }
        accepted, decided = tallies.decisions(window)
        labels, source = self.labels, self.source
        if labels is None and (total := sum(tallies.published(window).values())):
            labels = {name: n / total for name, n in tallies.published(window).items()}
            source = f"the first {total} labels since {since}"
        return replace(
            self,
            coverage=accepted / decided if self.coverage is None and decided else self.coverage,
            agreement=shares | dict(self.agreement),
            labels=labels,
            source=source,
        )

    def audited_in(self, windows: Iterable[tuple[int, Window]]) -> "Expected":
        """With the audits since the promise is in force, and what the first of each segment say."""
        expected, cells = self, list(windows)
        if self.fidelity is not None:
            expected = replace(expected, audits=self._audits(cells))
        if self.segments is not None:
            expected = replace(expected, segments=self.segments.audited_in(cells))
        return expected

    def audited(self, window: Window) -> tallies.Tally:
        """Audits of a window that the promise is of: what another calibration accepted is not."""
        if self.calibration is None:
            return tallies.audited(window)
        return tallies.audited_under(window, self.calibration)

    def _audits(self, windows: Iterable[tuple[int, Window]]) -> Audits | None:
        audits: Audits | None = None
        for start, window in windows:
            hits, total = self.audited(window)
            if total:
                before = audits or Audits(0, 0, start)
                audits = Audits(before.hits + hits, before.total + total, before.since_ms)
        return audits


def first_enough(windows: Iterable[tuple[int, Window]]) -> tuple[int, Window] | None:
    """The first windows with `ENOUGH` tickets together, and the start of the last of them; None
    where there are fewer.
    """
    first: list[Window] = []
    tickets = 0
    for start, window in windows:
        first.append(window)
        tickets += tallies.decisions(window)[1]
        if tickets >= ENOUGH:
            return start, merged(first)
    return None
