"""Records of the log by decision, also where a place was used twice."""

from dataclasses import replace
from typing import cast

from streamer.learn.data.decisions import LoggedDecision, logged_decisions
from streamer.records.examples import EXAMPLES
from streamer.records.log import AnswerLog, BallotLog, VerdictLog

BALLOT, VERDICT = cast("tuple[BallotLog, VerdictLog]", EXAMPLES["log"][:2])


def test_a_verdict_is_joined_with_the_last_ballot_of_its_decision() -> None:
    last = replace(BALLOT, suspended=True)
    assert logged_decisions([BALLOT, VERDICT, last]) == [LoggedDecision(last, VERDICT)]


def test_tickets_that_lay_at_one_place_are_kept_apart() -> None:
    other = replace(BALLOT, ticket_id="of the topic that was made again")
    judged = replace(VERDICT, ticket_id=other.ticket_id)
    told = AnswerLog(BALLOT.decision_id, other.ticket_id, "t", "s", "", "l", "me", gold=True)
    assert other.decision_id == BALLOT.decision_id
    assert logged_decisions([BALLOT, other, VERDICT, told, judged]) == [
        LoggedDecision(BALLOT, VERDICT),
        LoggedDecision(other, judged, told),
    ]
