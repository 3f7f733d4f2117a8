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
        places: Sequence[int],
        write: Callable[[Sequence[int]], Sequence[T]],
    ) -> list[T | Emission]:
        """What `write` makes of the tickets at these places, and the letters of those that died.

        `write` is asked again about fewer of them where it fails. Raises what no record brought
        about.
        """
        if self._died:
            places = [place for place in places if id(carried[place].record) not in self._died]
        return self._written(carried, places, write) if places else []

    def _written(
        self,
        carried: Sequence[Carried],
        places: Sequence[int],
        write: Callable[[Sequence[int]], Sequence[T]],
    ) -> list[T | Emission]:
        try:
            return list(write(places))
        except Exception as error:
            if not by_the_record(error):
                raise
            if len(places) == 1:
                return [self._dead(carried[places[0]], error)]
        half = len(places) // 2
        return [
            *self._written(carried, places[:half], write),
            *self._written(carried, places[half:], write),
        ]

    def _dead(self, one: Carried, error: Exception) -> Emission:
        self._died.add(id(one.record))
        name, at = type(error).__name__, extract_tb(error.__traceback__)[-1]
        # Where and never what: the message may quote the ticket.
        log.error(
            "%s[%d]@%d can't be written: %s at %s:%s; report it, the record is a dead letter",
            *(one.record.topic, one.record.partition, one.record.offset),
            *(name, at.filename, at.lineno),
        )
        one.trace.failed("unwritable")
        headers = one.trace.headers(self._dead_letters.topic)
        return self._dead_letters.emission(one.record, TicketError("unwritable", name), headers)
