"""The shares of a task that are tested against what is expected of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from streamer.config.settings import Alarms
from streamer.monitoring import tallies
from streamer.monitoring.alarms.e_detector import EDetector
from streamer.monitoring.expected import Expected
from streamer.monitoring.reading import Severity
from streamer.monitoring.tallies import Tally
from streamer.monitoring.window import Window
from streamer.records.alarm import AlarmKind

OTHERS = "any other label"


@dataclass(frozen=True, slots=True)
class Band:
    """A share by name, and between which ends it should be; beyond 0 and 1 there is no end."""

    name: str
    expected: float
    low: float
    high: float

    @classmethod
    def around(cls, name: str, expected: float, tolerance: float) -> "Band":
        return cls(name, expected, expected - tolerance, expected + tolerance)

    def excess(self, share: float) -> float:
        """How far a share is outside; negative inside."""
        return max(share - self.high, self.low - share)


@dataclass(frozen=True, slots=True)
class Test:
    """Shares that are tested together; `count` finds their tallies in a window, in that order.

    It is one of `among` tests that share a rate of false alarms. Windows that begin at `since_ms`
    or before are of another time. What is told is the share of the last hour, or, with `lately`,
    only since there was half the evidence: what was before that would hide a change. `expects` is
    what to say of the expected share, where its band alone doesn't tell.
    """

    kind: AlarmKind
    subject: str | None
    severity: Severity
    what: str
    bands: Sequence[Band]
    count: Callable[[Window], Sequence[Tally]]
    among: int = 1
    since_ms: int = 0
    lately: bool = False
    expects: str | None = None

    def detector(self, run_length: float) -> EDetector:
        """What watches it, with `run_length` steps between false alarms of all that share them.

        Each of them waits for `among` times the evidence: so their mean is a detector, too, and it
        is at `run_length` before one of them is out.
        """
        low, high = ([getattr(band, end) for band in self.bands] for end in ("low", "high"))
        return EDetector([low], [high], run_length * self.among)


def tests_of(expected: Expected, limits: Alarms) -> Iterator[Test]:
    """One for each share that something is expected of."""
    if expected.coverage is not None:
        band = Band.around("coverage", expected.coverage, limits.coverage_tolerance)
        yield Test("coverage_drift", None, "warning", "tickets", [band], _decisions)
    if expected.fidelity is not None:
        low = expected.fidelity - limits.fidelity_tolerance
        band = Band("fidelity", expected.fidelity, low, 1.0)
        count = _audited(expected)
        yield Test("fidelity_broken", None, "critical", "audits", [band], count)
    for pair, share in sorted(expected.agreement.items()):
        band = Band.around("agreement", share, limits.agreement_tolerance)
        yield Test("agreement_drift", pair, "warning", "tickets", [band], _agreement(pair))
    if expected.labels is not None:
        shares = {**dict(sorted(expected.labels.items())), OTHERS: 0.0}
        bands = [
            Band.around(f"share of {name!r}", p, limits.label_tolerance)
            for name, p in shares.items()
        ]
        count = _labels(tuple(expected.labels))
        yield Test("label_shift", None, "warning", "labels", bands, count)


def _decisions(window: Window) -> Sequence[Tally]:
    return [tallies.decisions(window)]


def _audited(expected: Expected) -> Callable[[Window], Sequence[Tally]]:
    return lambda window: [expected.audited(window)]


def _agreement(pair: str) -> Callable[[Window], Sequence[Tally]]:
    return lambda window: [tallies.agreements(window).get(pair, (0, 0))]


def _labels(labels: Sequence[str]) -> Callable[[Window], Sequence[Tally]]:
    names = sorted(labels)

    def count(window: Window) -> Sequence[Tally]:
        published = tallies.published(window)
        total = sum(published.values())
        hits = [published.get(name, 0) for name in names]
        return [(n, total) for n in (*hits, total - sum(hits))]

    return count
