"""A ticket on its way through the classify service."""

from typing import NamedTuple

from streamer.observe.ticket_trace import TicketTrace
from streamer.records.ticket import Ticket
from streamer.stream.record import Record


class Arrival(NamedTuple):
    """A ticket with the record it came in.

    `digest` is the hash of the record's place, `created_ms` the ticket's own time.
    """

    record: Record
    ticket: Ticket
    digest: bytes
    trace: TicketTrace
    created_ms: float
