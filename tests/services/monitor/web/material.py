"""Summaries and labels as the services write them, and a view that is made of them."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from streamer.client import LabelRecord
from streamer.monitoring.alarms.standing import Standing
from streamer.monitoring.expected import Audits, Expected
from streamer.monitoring.expected_segments import ExpectedSegments
from streamer.monitoring.reading import Reading
from streamer.monitoring.windows import Windows
from streamer.observe.histogram import Histogram
from streamer.records.label import Label, Position, Rule, Vote
from streamer.records.summary import Service, Summary
from streamer.records.times import rfc3339
from streamer.services.monitor.live import LiveView

WORKERS = ("topic_word", "topic_char", "topic_net")
TASKS: Mapping[str, tuple[Sequence[str], Mapping[str, float]]] = {
    "topic": (
        WORKERS,
        {"billing": 0.31, "bug": 0.27, "question": 0.2, "refund": 0.12, "shipping": 0.1},
    ),
    "mood": (("mood_net",), {"calm": 0.7, "upset": 0.3}),
}
AGREEMENT = {f"{WORKERS[0]}/{WORKERS[1]}": 0.87, f"{WORKERS[0]}/{WORKERS[2]}": 0.85}
SEGMENTS = ExpectedSegments(
    "a1b2",
    {"1": "card charged invoice", "2": "parcel courier", "4": "login locked"},
    {"1": 0.55, "2": 0.3, "4": 0.15},
)
EXPECTED = {
    "topic": Expected(
        0.82,
        0.98,
        AGREEMENT,
        TASKS["topic"][1],
        "the calibration's tickets",
        segments=SEGMENTS,
        audits=Audits(1231, 1250, 1_780_000_000_000),
    )
}
GAUGES = {
    "classify": {"lag": 14.0, "oldest_s": 0.31, "in_flight": 2.0, "buffered": 37.0},
    "judge": {"lag": 211.0, "oldest_s": 4.2, "in_flight": 2.0, "buffered": 64.0},
}


class Made:
    """The monitor's own view, over summaries that a test makes and alarms that it raises."""

    def __init__(self, seed: int = 7) -> None:
        print(f"seed {seed}")
        self._random = np.random.default_rng(seed)
        self._sequence = 0
        self.windows = Windows({}, {})
        self.view = LiveView(self.windows, tuple(TASKS), "docs/runbooks")
        self.view.expect(EXPECTED)

    def tell(self, minutes: float = 16, every_s: int = 5) -> None:
        """One classify and one judge process tell what they did in the last `minutes`."""
        now = now_ms()
        for at in range(now - int(minutes * 60_000), now + 1, every_s * 1000):
            self.windows.take(self._told(at, every_s), now)

    def alarm(self, *readings: Reading) -> None:
        """These alarms stand, and no others."""
        self.view.stand({one.id: Standing(one, now_ms() - 90_000) for one in readings})

    def _told(self, at_ms: int, seconds: int) -> Iterator[Summary]:
        self._sequence += 1
        number = int(120 * (1 + 0.4 * np.sin(at_ms / 180_000)) * seconds)
        for task in TASKS:
            voted = int(self._random.poisson(number))
            yield self._summary("classify", task, at_ms, seconds, *self._voted(task, voted))
            yield self._summary("judge", task, at_ms, seconds, *self._judged(voted // 5))
        yield self._summary("classify", None, at_ms, seconds, {"records": {"tickets": number}}, {})
        yield self._summary("judge", None, at_ms, seconds, {}, {})

    def _voted(self, task: str, number: int) -> tuple[Any, Any]:
        workers, labels = TASKS[task]
        accepted = int(self._random.binomial(number, 0.81))
        abstained = int(self._random.binomial(number, 0.002))
        agreements = {}
        for place, one in enumerate(workers):
            for other in workers[place + 1 :]:
                agreed = int(self._random.binomial(number, 0.86))
                agreements |= {f"{one}/{other}/yes": agreed, f"{one}/{other}/no": number - agreed}
        said = self._random.multinomial(number, list(labels.values())).tolist()
        counts = {
            "labels": {"workers": accepted},
            "decisions": {"accepted": accepted, "deferred": number - accepted},
            "deferred": {"disagreement": (number - accepted) * 2 // 3, "low_margin": number // 16},
            "agreements": agreements,
            "ballots": {f"{worker}/given": number for worker in workers}
            | {f"{workers[0]}/abstained": abstained},
            "published": dict(zip(labels, said, strict=True)),
            "audited": {"yes": number // 80, "no": int(self._random.random() < 0.08)},
        }
        if task in EXPECTED:
            counts |= self._routed(number)
        return counts, self._latency("workers", accepted, 18.0, 0.5)

    def _routed(self, number: int) -> Any:
        far, unsure = self._random.binomial(number, [0.012, 0.05]).tolist()
        shares = [*SEGMENTS.shares.values()]
        named = self._random.multinomial(number - far - unsure, shares).tolist()
        return {
            "segments": dict(zip(SEGMENTS.shares, named, strict=True)) | {"general": far + unsure},
            "routed": {SEGMENTS.version: number},
            "unrouted": {"far": far, "unsure": unsure},
            "segment_audited": {"1/yes": named[0] // 60, "1/no": int(self._random.random() < 0.05)},
        }

    def _judged(self, number: int) -> tuple[Any, Any]:
        verified = {"confirmed": number // 9, "corrected": number // 60}
        counts = {"labels": {"judge": number}, "verified": verified}
        return counts, self._latency("judge", number, 900.0, 0.7)

    def _latency(self, source: str, number: int, median_ms: float, spread: float) -> Any:
        made = {}
        for clock, longer in (("ticket", 1.6), ("service", 1.0)):
            histogram = Histogram()
            middle = np.log(median_ms * longer)
            histogram.observe(self._random.lognormal(middle, spread, number))
            pairs = tuple((place, n) for place, n in enumerate(histogram.counts) if n)
            made[f"{clock}/{source}"] = pairs
        return made

    def _summary(
        self, service: Service, task: str | None, at_ms: int, seconds: int, counts: Any, times: Any
    ) -> Summary:
        return Summary(
            process=f"{service[0]}0ffee00-0000-4000-8000-000000000001",
            service=service,
            task=task,
            sequence=self._sequence,
            at_ms=at_ms,
            seconds=float(seconds),
            counts=counts,
            gauges=GAUGES[service] if task is None else {},
            latency=times,
        )


ABSTAINS = Reading(
    kind="worker_abstains",
    task="topic",
    subject="topic_net",
    severity="critical",
    value=0.121,
    limit=0.05,
    text="topic_net gives no vote on 12.1 % of the tickets, 5.0 % is the limit",
    out=True,
)
DRIFTS = Reading(
    kind="coverage_drift",
    task="topic",
    subject=None,
    severity="warning",
    value=0.712,
    limit=0.05,
    text="the workers settle 71.2 % of the tickets, 82.0 % is expected",
    out=True,
    false_alarm_every_s=30 * 86400.0,
)


def now_ms() -> int:
    return int(time.time() * 1000)


def label(ticket_id: str, **others: Any) -> Label:
    """What two of three workers agree on, decided now."""
    votes = (
        Vote("topic_word", "3", "billing", 0.941),
        Vote("topic_char", "2", "billing", 0.887),
        Vote("topic_net", "5", "refund", 0.512),
    )
    made = Label(
        ticket_id=ticket_id,
        task="topic",
        label="billing",
        confidence=0.931,
        source="workers",
        revision=0,
        final=True,
        votes=votes,
        rule=Rule("margin", 2, 3, "margin", 0.31),
        calibration="5f2c",
        label_set="9ab1",
        decision_id="0" * 32,
        position=Position("tickets", "tickets", 0, 5),
        created_at=rfc3339(now_ms() - 42),
        decided_at=rfc3339(now_ms()),
    )
    return replace(made, **others)


def record(one: Label | None, key: str = "", value: bytes | None = None) -> LabelRecord:
    """A label as the tail reads it; or a record of this key and value that is none."""
    if one is not None:
        return LabelRecord(one.key.decode(), one, one.to_json(), 0, 0, now_ms())
    return LabelRecord(key, None, value, 0, 0, now_ms())
