"""A request under judgement."""

from dataclasses import dataclass

from streamer.observe.ticket_trace import TicketTrace
from streamer.records.judge_request import JudgeRequest
from streamer.services.memory import Output
from streamer.stream.record import Record


@dataclass(frozen=True, slots=True)
class Case:
    """A request and the record that it came with, alone or as the follower of another.

    `published` collects what the record led to, for itself and its followers.
    """

    record: Record
    request: JudgeRequest
    trace: TicketTrace
    published: list[Output]
