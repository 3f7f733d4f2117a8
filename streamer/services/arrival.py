"""A ticket on its way through the classify service."""

from typing import NamedTuple

from streamer.observe.ticket_trace import TicketTrace
from streamer.records.identity import TicketIdentity
from streamer.records.ticket import Ticket
from streamer.stream.record import Record


class Arrival(NamedTuple):
    """A ticket with the record it came in; `created_ms` is the ticket's own time."""

    record: Record
    ticket: Ticket
    identity: TicketIdentity
    trace: TicketTrace
    created_ms: float
