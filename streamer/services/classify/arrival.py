"""A ticket on its way through the classify service."""

from typing import NamedTuple

from streamer.observe.ticket_trace import TicketTrace
from streamer.records.identities import decision_ids
from streamer.records.label import Position
from streamer.records.ticket import Ticket
from streamer.stream.handler import Record


class Arrival(NamedTuple):
    """A ticket with the record it came in.

    `digest` is the hash of the record's place, `created_ms` the ticket's own time,
    NaN where none is known.
    """

    record: Record
    ticket: Ticket
    digest: bytes
    trace: TicketTrace
    created_ms: float

    def decision_id(self, task: str) -> str:
        """Of this ticket and a task."""
        return decision_ids([self.digest], task)[0].decode()

    def position(self, source: str) -> Position:
        """Where the ticket lay in the input of this name."""
        record = self.record
        return Position(source, record.topic, record.partition, record.offset)
