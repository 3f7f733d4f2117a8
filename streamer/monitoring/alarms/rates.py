"""Alarms about rates of the last minutes: workers that abstain, and dead letters."""

from collections.abc import Iterator

from streamer.config.settings import Alarms
from streamer.monitoring import tallies
from streamer.monitoring.reading import Reading, held
from streamer.monitoring.window import Window

# Of fewer, one alone would make a large share: they raise nothing. But they keep what stands, or a
# worker that is out would be an alarm only while enough tickets come.
LEAST = 20
_CLEARED_AT = 0.5


def abstaining(task: str, window: Window, limits: Alarms) -> Iterator[Reading]:
    """Workers that give too few votes, in the last minutes of a task."""
    for worker, (hits, total) in tallies.abstentions(window).items():
        if total:
            share, limit = hits / total, limits.abstaining
            text = f"{worker} gave no vote on {share:.1%} of {total} tickets in the last minutes"
            out = _out(share, total, limit)
            yield Reading("worker_abstains", task, worker, "warning", share, limit, text, out)


def dead_letters(window: Window, limits: Alarms) -> Iterator[Reading]:
    """Too many dead letters, in the last minutes of all processes."""
    hits, total = tallies.dead(window)
    if total:
        share, limit = hits / total, limits.dead_letters
        reasons = sorted(window.counts.get("dead", {}).items(), key=lambda item: -item[1])
        most = ", ".join(f"{reason} {count}" for reason, count in reasons[:3])
        text = (
            f"{hits} of {total} records in the last minutes became dead letters: {most or 'none'}"
        )
        out = _out(share, total, limit)
        yield Reading("dead_letters", None, None, "warning", share, limit, text, out)


def _out(share: float, total: int, limit: float) -> bool | None:
    out = held(share, limit, limit * _CLEARED_AT)
    return None if out and total < LEAST else out
