"""Where the time went between a ticket and its label."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from streamer.client import LabelRecord
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from streamer.records.times import milliseconds
from streamer.services.inspect.inspection import Hop, LatencyBreakdown, Occurrence

Request = tuple[Hop, JudgeRequest]


def latency(
    label: Label,
    records: Sequence[LabelRecord],
    requests: Sequence[Request],
    occurrences: Sequence[Occurrence],
) -> tuple[LatencyBreakdown, ...]:
    """The parts of the time until this label, in their order.

    From the times of the records alone, which different machines wrote: what their clocks make
    less than nothing counts as nothing.
    """
    marks = list(_marks(label, records, requests, occurrences))
    return tuple(
        LatencyBreakdown(on, max(moment - before, 0.0) / 1000)
        for (_, before), (on, moment) in pairwise(marks)
    )


def _marks(
    label: Label,
    records: Sequence[LabelRecord],
    requests: Sequence[Request],
    occurrences: Sequence[Occurrence],
) -> Iterator[tuple[str, float]]:
    """The end of each part, and before them the beginning."""
    position = label.position
    here = (position.topic, position.partition, position.offset)
    lies = [o for o in occurrences if (o.topic, o.partition, o.offset) == here]
    arrived = next((o.at_ms for o in lies if o.at_ms is not None), None)
    created = None if label.source == "person" else milliseconds(label.created_at)
    if created is not None and (arrived is None or created < arrived):
        yield "created", created
    if arrived is not None:
        yield "before Kafka", float(arrived)
    asked = [
        hop.at_ms
        for hop, request in requests
        if (request.decision_id, request.created_at) == (label.decision_id, label.created_at)
        and request.backfill == label.backfill
    ]
    decided = milliseconds(label.decided_at)
    if label.source == "person":
        if decided is not None:
            yield "until a person answered", decided
    else:
        if label.judge is not None and asked:
            yield "waiting and voting", float(asked[-1])
        if decided is not None:
            yield "judge" if label.judge is not None else "waiting and voting", decided
    published = [record.timestamp for record in records if record.label == label]
    if published:
        yield "publishing", float(published[-1])
