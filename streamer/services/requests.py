"""Judge requests: what the judge and the final label need to know of a ticket."""

from collections.abc import Sequence

from streamer.records.identity import TicketIdentity
from streamer.records.judge_request import Follower, JudgeRequest
from streamer.records.label import Position
from streamer.services.arrival import Arrival
from streamer.services.ballots import Ballots
from streamer.services.task import Task


def request(
    source: str,
    task: Task,
    arrival: Arrival,
    ballots: Ballots,
    place: int,
    traceparent: str,
    followers: Sequence[Follower] = (),
) -> JudgeRequest:
    """The request for a ticket on which the workers did not agree: the `place`-th of the ballots.

    `source` is the input's name.
    """
    record = arrival.record
    identity = TicketIdentity(source, record.topic, record.partition, record.offset)
    return JudgeRequest(
        ticket=arrival.ticket,
        task=task.name,
        label_set=task.label_set.version,
        ballot=ballots.ballot_on(place),
        rule=task.rule,
        decision_id=identity.decision_id(task.name),
        revision=0,
        purpose="decide",
        position=Position(source, record.topic, record.partition, record.offset),
        created_at=arrival.ticket.created_at,
        traceparent=traceparent,
        followers=tuple(followers),
    )
