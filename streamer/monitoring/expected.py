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
class Expected:
    """Shares to expect, as far as they are known.

    `fidelity` is what was promised, the others are what was seen: `coverage` of the rule,
    `agreement` by `<one>/<other>` worker, and `labels` among what is published, of which `source`
    says where they were seen. `since_ms` is when they were made: what was before followed others.
    `segments` are those of the task, None where it has none.
    """

    coverage: float | None = None
    fidelity: float | None = None
    agreement: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, float] | None = None
    source: str | None = None
    since_ms: int = 0
    segments: ExpectedSegments | None = None

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
        shares = {pair: hits / of for pair, (hits, of) in tallies.agreements(window).items() if of}
        accepted, of = tallies.decisions(window)
        labels, source = self.labels, self.source
        if labels is None and (total := sum(tallies.published(window).values())):
            labels = {name: n / total for name, n in tallies.published(window).items()}
            source = f"the first {total} labels since {since}"
        return replace(
            self,
            coverage=accepted / of if self.coverage is None and of else self.coverage,
            agreement=shares | dict(self.agreement),
            labels=labels,
            source=source,
        )

    def audited_in(self, windows: Iterable[tuple[int, Window]]) -> "Expected":
        """With what the first audits of each segment say, where the task has segments."""
        if self.segments is None:
            return self
        return replace(self, segments=self.segments.audited_in(windows))


def first_enough(windows: Iterable[tuple[int, Window]]) -> tuple[int, Window] | None:
    """The first windows with `ENOUGH` tickets together, and the start of the last of them; None
    where there are fewer.
    """
    found: list[Window] = []
    tickets = 0
    for start, window in windows:
        found.append(window)
        tickets += tallies.decisions(window)[1]
        if tickets >= ENOUGH:
            return start, merged(found)
    return None
