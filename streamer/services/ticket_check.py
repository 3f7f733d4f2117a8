"""Whether the configured pointers find anything in real tickets."""

import asyncio
import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError

from streamer.config.settings import Settings
from streamer.errors import StreamerError, TicketError
from streamer.records.pointers import find
from streamer.records.ticket_text import TicketText
from streamer.services.intake import Intake
from streamer.services.newest import newest
from streamer.services.propose import leaves, propose
from streamer.services.streaming import connection
from streamer.services.ticket_id import TicketId
from streamer.stream.clients import Clients
from streamer.stream.record import Record

_WITHIN_S = 15.0
_NEXT_TO_NOTHING = 0.05

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TicketReport:
    """What makes every ticket a dead letter, what looks wrong, and how many were looked at."""

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()


async def ticket_report(settings: Settings, intake: Intake) -> TicketReport:
    """A look at some of the newest tickets, as the classify service would read them."""
    topic = settings.topics.tickets
    try:
        async with asyncio.timeout(_WITHIN_S):
            records = await newest(Clients(connection(settings.kafka)), topic)
    except (StreamerError, KafkaError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        return TicketReport(warnings=(f"no ticket in {topic} could be looked at: {why}",))
    if not records:
        return TicketReport(seen=(f"tickets none in {topic} yet, so no pointer was tried",))
    return look(settings, intake, records)


def look(settings: Settings, intake: Intake, records: Sequence[Record]) -> TicketReport:
    """What these records, of which there is one at least, say about the configuration."""
    tickets, refused = _read(intake, records)
    if not tickets:
        return TicketReport((f"input: none of {len(records)} tickets can be read: {refused[0]}",))
    looked = _Look(tickets)
    given, problems, warnings = settings.input, list[str](), list[str]()
    if refused:
        warnings.append(
            f"input: {len(refused)} of {len(records)} tickets can't be read: {refused[0]}"
        )
    identified = looked.count(given.id, _is_id)
    problems += looked.missed("input.id", "an id", given.id, _is_id, most=0)
    if 0 < identified < len(tickets) * (1 - _NEXT_TO_NOTHING):
        warnings.append(f"input.id: only {looked.said(identified, 'an id', given.id)}")
    lines = [
        line
        for pointer in given.text
        for line in looked.missed("input.text", "a text", pointer, _is_text)
    ]
    # One text of several may be rare; without any, every ticket is a dead letter.
    without = not any(looked.count(pointer, _is_text) for pointer in given.text)
    (problems if without else warnings).extend(lines)
    if given.created_at is not None:
        warnings += looked.missed("input.created_at", "a time", given.created_at, _is_time)
    for name, task in settings.tasks.items():
        if task.when is not None and task.when.field is not None:
            key = f"tasks.{name}.when.field"
            warnings += looked.missed(key, "a text", task.when.field, _is_text)
    seen = f"tickets {len(records)} of the newest were looked at"
    return TicketReport(tuple(problems), tuple(warnings), (seen,))


def _read(intake: Intake, records: Sequence[Record]) -> tuple[list[Fields], list[str]]:
    """The fields of those that can be read, and why the others can't."""
    tickets, refused = list[Fields](), list[str]()
    for record in records:
        try:
            tickets.append(intake.fields(record))
        except TicketError as error:
            refused.append(str(error))
    return tickets, refused


@dataclass(frozen=True, slots=True)
class _Look:
    """Tickets, one at least, and what stands in them where."""

    tickets: Sequence[Fields]

    def count(self, pointer: str, fits: Callable[[Any], bool]) -> int:
        return sum(fits(find(ticket, pointer)) for ticket in self.tickets)

    def said(self, count: int, what: str, pointer: str) -> str:
        return f"{count} of {len(self.tickets)} tickets have {what} at {pointer}"

    def missed(
        self,
        key: str,
        what: str,
        pointer: str,
        fits: Callable[[Any], bool],
        most: float = _NEXT_TO_NOTHING,
    ) -> Iterator[str]:
        """A line where no more than the share `most` have at the pointer what fits."""
        count = self.count(pointer, fits)
        if count <= len(self.tickets) * most:
            yield f"{key}: {self.said(count, what, pointer)}{self._meant(pointer, fits)}"

    def _meant(self, pointer: str, fits: Callable[[Any], bool]) -> str:
        places = Counter(
            place for ticket in self.tickets for place, value in leaves(ticket) if fits(value)
        )
        proposed = propose(self.tickets)
        if fits is _is_id:
            # What is named alike need not tell tickets apart.
            near = [proposed.id] if proposed.id is not None else []
        else:
            near = [*difflib.get_close_matches(pointer, places, n=1), *reversed(proposed.text)]
        if not near:
            return "; correct the pointer"
        count = places[near[0]]
        return f"; {near[0]} is in {'all' if count == len(self.tickets) else count}"


def _is_id(value: Any) -> bool:
    return _is_taken(TicketId("/it").of, value)


def _is_time(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return _is_taken(TicketText(("/it",)).of, value)


def _is_taken(read: Callable[[Fields], str], value: Any) -> bool:
    try:
        read({"it": value})
    except TicketError:
        return False
    return True
