"""Summaries made up for tests, and their plain recount."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from streamer.records.summary import Service, Summary

TASKS = ("intent", "mood")
LABELS = {"intent": ("bug", "question", "refund"), "mood": ("bad", "good")}
PAIRS = ("a/b", "a/c", "b/c")


def storm(
    count: int, end_ms: int, *, processes: int = 4, every_ms: int = 1000, seed: int = 1
) -> Iterator[Summary]:
    """`count` summaries of several processes and their tasks, in time up to `end_ms`."""
    some = random.Random(seed)
    names = [f"process-{number}" for number in range(processes)]
    looks = -(-count // (processes * 3))
    left = count
    for look in range(1, looks + 1):
        at_ms = end_ms - (looks - look) * every_ms
        for place, name in enumerate(names):
            service: Service = "judge" if place == processes - 1 else "classify"
            for task in (None, *TASKS):
                if left:
                    left -= 1
                    yield one(some, name, service, task, look, at_ms + place)


def one(
    some: random.Random, process: str, service: Service, task: str | None, sequence: int, at_ms: int
) -> Summary:
    """One summary with counts of its own."""
    if task is None:
        counts = {"records": {"": some.randrange(50)}, "dead": {"too large": some.randrange(2)}}
        return Summary(
            process, service, None, sequence, at_ms, 1.0, counts, {"oldest_s": some.random()}, {}
        )
    counts = {
        "decisions": {"accepted": some.randrange(40), "deferred": some.randrange(10)},
        "published": {label: some.randrange(20) for label in LABELS[task]},
        "labels": {"workers": some.randrange(40), "judge": some.randrange(10)},
        "agreements": {f"{p}/{said}": some.randrange(40) for p in PAIRS for said in ("yes", "no")},
    }
    latency = {
        f"{clock}/workers": tuple(
            (k, 1 + some.randrange(9)) for k in sorted(some.sample(range(161), 6))
        )
        for clock in ("ticket", "service")
    }
    return Summary(process, service, task, sequence, at_ms, 1.0, counts, {}, latency)


def recount(summaries: Iterable[Summary], *, once: bool = True) -> Counter[tuple[str, ...]]:
    """Sums by task, family and name, of each summary once, or as often as it comes."""
    seen: set[tuple[str, str | None, int]] = set()
    sums: Counter[tuple[str, ...]] = Counter()
    for summary in summaries:
        place = (summary.process, summary.task, summary.sequence)
        if once and place in seen:
            continue
        seen.add(place)
        task = summary.task or ""
        for family, counts in summary.counts.items():
            for name, n in counts.items():
                sums[task, family, summary.service if family == "records" else name] += n
        for path, pairs in summary.latency.items():
            for bucket, n in pairs:
                sums[task, path, str(bucket)] += n
    return +sums


def shaken(summaries: Sequence[Summary], some: random.Random) -> list[Summary]:
    """The same ones in another order, some of them several times."""
    found = [*summaries, *some.choices(summaries, k=len(summaries) // 3)]
    some.shuffle(found)
    return found
