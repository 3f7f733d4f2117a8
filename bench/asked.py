"""Requests to the judge: distinct tickets of many lengths."""

from streamer.records.judge_request import Ballot, JudgeRequest
from streamer.records.label import Position, Rule, Vote
from streamer.records.labelset import LabelSet
from streamer.records.ticket import Ticket

TASK = "intent"
LABELS = LabelSet(("account", "billing", "delivery", "other"))
_AT = "2026-01-01T00:00:00.000Z"
_SAID = (
    "my card was charged twice and nobody answers",
    "the parcel that I ordered last week has not arrived at the new address",
    "after the update the export stops at forty percent on every machine here",
)


def text(number: int) -> str:
    """From one to eight sentences; no two are alike."""
    said = [_SAID[(number + place) % len(_SAID)] for place in range(1 + number * 5 % 8)]
    return f"Case {number}: " + ", and ".join(said)


def request(number: int) -> JudgeRequest:
    """What classify would ask about ticket `number`."""
    return JudgeRequest(
        ticket=Ticket(f"t{number}", text(number), _AT),
        task=TASK,
        label_set=LABELS.version,
        ballot=Ballot((Vote("w", "1", "other", 0.5),), ((0.1, 0.2, 0.2, 0.5),)),
        rule=Rule("majority", 2, 2),
        decision_id=f"{number}-{TASK}",
        revision=0,
        purpose="decide",
        position=Position("bench", "tickets", 0, number),
        created_at=_AT,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    )
