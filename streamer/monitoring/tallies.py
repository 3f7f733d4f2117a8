"""What the counts of a window say, as pairs (hits, of)."""

from collections.abc import Mapping

from streamer.monitoring.window import Window

Tally = tuple[int, int]

GENERAL = "general"
"""What tickets are counted under that took the way of no segment."""


def decisions(window: Window) -> Tally:
    """Tickets that the rule accepted, of those that workers voted on."""
    return _share(window.counts.get("decisions", {}), "accepted", "deferred")


def audited(window: Window) -> Tally:
    """Accepted labels of the uniform stratum that the judge agreed with."""
    return _share(window.counts.get("audited", {}), "yes", "no")


def audited_under(window: Window, calibration: str) -> Tally:
    """As `audited`, of the labels that this version of a calibration accepted."""
    return _shares(window.counts.get("calibration_audited", {}), "yes", "no").get(
        calibration, (0, 0)
    )


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


def segments(window: Window) -> dict[str, Tally]:
    """Tickets by their segment's number, of those that took the route of any segment."""
    named = {
        number: count
        for number, count in window.counts.get("segments", {}).items()
        if number != GENERAL
    }
    total = sum(named.values())
    return {number: (count, total) for number, count in named.items()}


def routings(window: Window) -> Mapping[str, int]:
    """Tickets whose segment was asked for, by the version of the routing."""
    return window.counts.get("routed", {})


def unrouted(window: Window) -> dict[str, Tally]:
    """Tickets that took the general route by reason, of all whose segment was asked for."""
    total = sum(window.counts.get("segments", {}).values())
    return {reason: (n, total) for reason, n in window.counts.get("unrouted", {}).items()}


def far(window: Window) -> Tally:
    """Tickets that are like none of the segments, of those that were looked at."""
    reasons = window.counts.get("unrouted", {})
    looked_at = sum(window.counts.get("segments", {}).values()) - reasons.get("failed", 0)
    return reasons.get("far", 0), looked_at


def segment_audits(window: Window) -> dict[str, Tally]:
    """As `audited`, by the number of the segment whose route the ticket took, or general."""
    return _shares(window.counts.get("segment_audited", {}), "yes", "no")


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
    return {subject: _share(outcomes, hit, miss) for subject, outcomes in sorted(split.items())}


def _share(counts: Mapping[str, int], hit: str, miss: str) -> Tally:
    return counts.get(hit, 0), counts.get(hit, 0) + counts.get(miss, 0)
