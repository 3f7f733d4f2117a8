"""What the counts of a window say, as pairs (hits, of)."""

from collections.abc import Mapping

from streamer.monitoring.window import Window

Tally = tuple[int, int]


def decisions(window: Window) -> Tally:
    """Tickets that the rule accepted, of those that workers voted on."""
    return _share(window.counts.get("decisions", {}), "accepted", "deferred")


def audited(window: Window) -> Tally:
    """Accepted labels of the uniform stratum that the judge agreed with."""
    return _share(window.counts.get("audited", {}), "yes", "no")


def agreements(window: Window) -> dict[str, Tally]:
    """Tickets on which two workers agreed, by `<one>/<other>`."""
    return _shares(window.counts.get("agreements", {}), "yes", "no")


def abstentions(window: Window) -> dict[str, Tally]:
    """Votes that were not given, by worker."""
    return _shares(window.counts.get("ballots", {}), "abstained", "given")


def published(window: Window) -> Mapping[str, int]:
    """Published labels by what they say."""
    return window.counts.get("published", {})


def judged(window: Window) -> Tally:
    """Labels that the judge gave, of all."""
    sources = window.counts.get("labels", {})
    return sources.get("judge", 0), sum(sources.values())


def dead(window: Window) -> Tally:
    """Dead letters, of the records read; of the processes' own windows."""
    return sum(window.counts.get("dead", {}).values()), sum(
        window.counts.get("records", {}).values()
    )


def tickets_read(window: Window) -> int:
    """Records of the tickets topic; of the processes' own windows."""
    return window.counts.get("records", {}).get("classify", 0)


def _shares(counts: Mapping[str, int], hit: str, miss: str) -> dict[str, Tally]:
    split: dict[str, dict[str, int]] = {}
    for name, count in counts.items():
        subject, _, outcome = name.rpartition("/")
        split.setdefault(subject, {})[outcome] = count
    return {subject: _share(found, hit, miss) for subject, found in sorted(split.items())}


def _share(counts: Mapping[str, int], hit: str, miss: str) -> Tally:
    return counts.get(hit, 0), counts.get(hit, 0) + counts.get(miss, 0)
