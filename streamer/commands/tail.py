"""Follows the labels, for people and, as JSON, for machines."""

import asyncio

from streamer.client import LabelRecord, LabelStream
from streamer.config.settings import Settings
from streamer.records.label import Label, Vote
from streamer.services.runtime.kafka import kafka_clients
from streamer.terminal import Style, cell, clean, local, paint, tell, tell_raw_json

HEADER = f"{'time':<12}  {'ticket':<20}  {'task':<12}  {'label':<20}  {'conf':>5}  {'by':<8}  votes"

BY: dict[str, tuple[Style, ...]] = {
    "workers": ("green",),
    "judge": ("cyan",),
    "pool": ("cyan",),
    "fallback": ("yellow",),
    "person": ("magenta",),
}
"""How the eye finds who said it."""


def run(settings: Settings, count: int | None, as_json: bool, beginning: bool) -> int:
    """Write labels to stdout until `count` of them are shown, or for ever.

    Raises `ConfigError` where Kafka or the topic is not there.
    """
    asyncio.run(_follow(settings, count, as_json, beginning))
    return 0


def line(record: LabelRecord) -> str:
    """One aligned line for a terminal, whatever ids and labels contain."""
    time = local(record.timestamp).strftime("%H:%M:%S.%f")[:-3]
    start = f"{time}  {cell(record.ticket_id, 20)}  {cell(record.task, 12)}  "
    if record.label is not None:
        return start + _of_label(record.label)
    return start + ("deleted" if record.value is None else "not a label that this release reads")


async def _follow(settings: Settings, count: int | None, as_json: bool, beginning: bool) -> None:
    clients = kafka_clients(settings.kafka)
    await clients.ensure_topics([settings.topics.labels])
    if not as_json:
        tell(paint(HEADER, "bold"))
    shown = 0
    async with LabelStream(
        settings.topics.labels,
        "earliest" if beginning else "latest",
        **clients.connection.options(),
    ) as labels:
        while count is None or shown < count:
            record = await anext(labels)
            if not as_json:
                tell(line(record))
            elif record.value is not None:
                tell_raw_json(record.value)
            shown += 1


def _of_label(label: Label) -> str:
    confidence = "    -" if label.confidence is None else f"{label.confidence:5.3f}"
    votes = "  ".join(map(_vote, label.votes))
    by = paint(cell(label.source, 8), *BY.get(label.source, ()))
    return f"{cell(label.label, 20)}  {confidence}  {by}  {votes}"


def _vote(vote: Vote) -> str:
    answer = vote.label if vote.label is not None else f"({vote.abstained})"
    return f"{clean(vote.worker)}={clean(answer)}"
