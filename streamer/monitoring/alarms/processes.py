"""Alarms about the processes: the judge's queue, services gone silent, summaries that were lost."""

from collections.abc import Iterator, Sequence

from streamer.config.settings import Alarms
from streamer.monitoring.reading import Reading, held
from streamer.monitoring.view import ProcessView

# The judge's topic forgets the oldest tickets at its retention: this part of it leaves time to act.
PART_OF_RETENTION = 0.25
_CLEARED_AT = 0.8
LOST = 5


def judge_queue(
    processes: Sequence[ProcessView], limits: Alarms, retention_s: float | None
) -> Iterator[Reading]:
    """The oldest ticket that a living judge has not finished; `retention_s` is the topic's."""
    ages = [
        process.gauges.get("oldest_s", 0.0)
        for process in processes
        if process.service == "judge" and process.silent_s <= limits.silent_for
    ]
    if not ages:
        return
    age, lost_at = max(ages), float("inf") if retention_s is None else retention_s
    limit = min(limits.judge_queue_age, lost_at * PART_OF_RETENTION)
    ending = age > lost_at * PART_OF_RETENTION
    text = f"the oldest ticket at the judge has waited {age:.0f} s"
    if ending:
        text += f"; Kafka deletes it after {lost_at:.0f} s"
    yield Reading(
        kind="judge_queue_old",
        task=None,
        subject=None,
        severity="critical" if ending else "warning",
        value=age,
        limit=limit,
        text=text,
        out=held(age, limit, limit * _CLEARED_AT),
    )


def silent(processes: Sequence[ProcessView], limits: Alarms) -> Iterator[Reading]:
    """Services of which no process is heard any more.

    They are given up with their last window, after about an hour: then it was no accident.
    """
    for service in sorted({process.service for process in processes}):
        age = min(process.silent_s for process in processes if process.service == service)
        limit = limits.silent_for
        text = f"no process of {service} was heard of for {age:.0f} s"
        yield Reading(
            "service_silent", None, service, "critical", age, limit, text, out=age > limit
        )


def lost(processes: Sequence[ProcessView]) -> Iterator[Reading]:
    """Summaries that never came, of the last minutes: the sums are too low by theirs."""
    lost_summaries = sum(process.lost for process in processes)
    text = f"{lost_summaries} summaries of the last minutes never came: the sums are too low"
    yield Reading(
        "summaries_lost",
        None,
        None,
        "warning",
        lost_summaries,
        LOST,
        text,
        out=held(lost_summaries, LOST, 0),
    )
