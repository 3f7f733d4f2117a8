"""The one place where what was decided becomes bytes."""

import logging
from collections.abc import Callable, Sequence
from traceback import extract_tb
from typing import Protocol, TypeVar

from streamer.errors import TicketError
from streamer.observe.ticket_trace import TicketTrace
from streamer.services.runtime.blame import by_the_record
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Emission, Record

T = TypeVar("T")

log = logging.getLogger(__name__)


class Carried(Protocol):
    """A ticket on its way out, with the record that it came in."""

    @property
    def record(self) -> Record: ...
    @property
    def trace(self) -> TicketTrace: ...


class Writing:
    """Writes what follows from one batch.

    A record of which something can't be written is one dead letter, whatever that fails with, and
    nothing more is written of it; its neighbours don't notice.
    """

    def __init__(self, dead_letters: DeadLetters) -> None:
        self._dead_letters = dead_letters
        self._died: set[int] = set()

    def all(
        self,
        carried: Sequence[Carried],
        indexes: Sequence[int],
        write: Callable[[Sequence[int]], Sequence[T]],
    ) -> list[T | Emission]:
        """What `write` makes of the tickets at these indexes, and the letters of those that died.

        `write` is asked again about fewer of them where it fails. Raises what no record brought
        about.
        """
        if self._died:
            indexes = [index for index in indexes if id(carried[index].record) not in self._died]
        return self._written(carried, indexes, write) if indexes else []

    def _written(
        self,
        carried: Sequence[Carried],
        indexes: Sequence[int],
        write: Callable[[Sequence[int]], Sequence[T]],
    ) -> list[T | Emission]:
        try:
            return list(write(indexes))
        except Exception as error:
            if not by_the_record(error):
                raise
            if len(indexes) == 1:
                return [self._dead(carried[indexes[0]], error)]
        half = len(indexes) // 2
        return [
            *self._written(carried, indexes[:half], write),
            *self._written(carried, indexes[half:], write),
        ]

    def _dead(self, carried: Carried, error: Exception) -> Emission:
        self._died.add(id(carried.record))
        name, frame = type(error).__name__, extract_tb(error.__traceback__)[-1]
        # Where and never what: the message may quote the ticket.
        log.error(
            "%s[%d]@%d can't be written: %s at %s:%s; report it, the record is a dead letter",
            *(carried.record.topic, carried.record.partition, carried.record.offset),
            *(name, frame.filename, frame.lineno),
        )
        carried.trace.failed("unwritable")
        headers = carried.trace.headers(self._dead_letters.topic)
        return self._dead_letters.emission(carried.record, TicketError("unwritable", name), headers)
