"""What counts as the same request, and what does not though it has the same decision id."""

from dataclasses import replace

import pytest

from streamer.records.judge_request import Ballot, JudgeRequest
from streamer.services.judge.recent_results import Output, RecentResults
from tests.services.judging import request

ASKED = request("bad one")
SAID = (Output("labels", b"t1/mood", b"{}"),)


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, ticket=replace(ASKED.ticket, id="t2")),
        replace(ASKED, ticket=replace(ASKED.ticket, text="bad two")),
        replace(ASKED, ticket=replace(ASKED.ticket, created_at="2026-02-01T00:00:00.000Z")),
        replace(ASKED, ticket=replace(ASKED.ticket, id="t", text="1bad one")),
        replace(ASKED, decision_id="2-mood"),
        replace(ASKED, revision=1),
        replace(ASKED, purpose="audit"),
        replace(ASKED, label_set="another"),
        replace(ASKED, backfill="b1"),
    ],
)
def test_another_request_is_not_answered_from_memory(other: JudgeRequest) -> None:
    memory = RecentResults(10)
    memory.keep(ASKED, SAID)
    assert memory.recall(other) is None


def test_the_same_ticket_is_known_whatever_the_workers_said_this_time() -> None:
    memory = RecentResults(10)
    memory.keep(ASKED, SAID)
    again = replace(ASKED, ballot=Ballot((), ()), candidate="good", traceparent="")
    assert memory.recall(again) == SAID


def test_the_oldest_is_forgotten_first() -> None:
    memory = RecentResults(2)
    for number in range(3):
        memory.keep(request("bad", number=number), SAID)
    known = [memory.recall(request("bad", number=number)) is not None for number in range(3)]
    assert known == [False, True, True]
