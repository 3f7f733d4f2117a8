"""A ticket on its way through the classify service."""

from dataclasses import dataclass

from streamer.observe.ticket_trace import TicketTrace
from streamer.records.identity import TicketIdentity
from streamer.records.ticket import Ticket
from streamer.stream.record import Record


@dataclass(frozen=True, slots=True)
class Arrival:
    """A ticket with the record it came in; `created_ms` is the ticket's own time."""

    record: Record
    ticket: Ticket
    identity: TicketIdentity
    trace: TicketTrace
    created_ms: float
