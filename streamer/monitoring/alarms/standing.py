"""Which alarms stand, and what has changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streamer.monitoring.reading import Reading

Id = tuple[str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm that stands since a time, with its newest reading."""

    reading: Reading
    since_ms: int


def standing(
    readings: Iterable[Reading], before: Mapping[Id, int], now_ms: int
) -> dict[Id, Standing]:
    """The alarms that stand now; `before` has those of the last look, with their beginning.

    What is not read any more, such as a worker that was taken out, stands no longer.
    """
    stands: dict[Id, Standing] = {}
    for reading in readings:
        stood = before.get(reading.id)
        if reading.out or (reading.out is None and stood is not None):
            first = now_ms if reading.since_ms is None else reading.since_ms
            stands[reading.id] = Standing(reading, first if stood is None else stood)
    return stands
