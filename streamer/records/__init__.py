"""What travels on the topics: frozen dataclasses, JSON by orjson."""

from streamer.records.dead_letter import DeadLetter
from streamer.records.identity import TicketIdentity
from streamer.records.judge_request import Ballot, Follower, JudgeRequest
from streamer.records.label import Label, Position, Rule, Vote
from streamer.records.labelset import LabelSet
from streamer.records.ticket import Ticket

__all__ = [
    "Ballot",
    "DeadLetter",
    "Follower",
    "JudgeRequest",
    "Label",
    "LabelSet",
    "Position",
    "Rule",
    "Ticket",
    "TicketIdentity",
    "Vote",
]
