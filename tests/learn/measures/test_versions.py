"""A version on trial is compared on the same tickets, and with the judge in the stratum alone."""

from dataclasses import replace
from typing import cast

from streamer.learn.data.decisions import logged_decisions
from streamer.learn.measures.shares import Share
from streamer.learn.measures.versions import VersionTrial, trials
from streamer.records.examples import EXAMPLES
from streamer.records.label import Vote
from streamer.records.labelset import LabelSet
from streamer.records.log import BallotLog, Log, ShadowVote, VerdictLog

BALLOT, VERDICT = cast("tuple[BallotLog, VerdictLog]", EXAMPLES["log"][:2])
LABELS = LabelSet(("billing", "other"))


def pair(number: int, old: str, new: str | None, judge: str, uniform: bool) -> list[Log]:
    vote = Vote("word", "1", old, 0.9, None)
    vector = None if new is None else (0.9, 0.1)
    shadow = ShadowVote("word", "2", new, vector, "outage" if new is None else None)
    known = {"decision_id": str(number), "label_set": LABELS.version, "task": "topic"}
    verdict = (0.9, 0.1) if judge == "billing" else (0.2, 0.8)
    ballot = replace(BALLOT.ballot, votes=(vote,), vectors=((0.9, 0.1),))
    return [
        replace(BALLOT, **known, ballot=ballot, shadows=(shadow,), uniform=uniform),
        # The candidate is what the workers had said, and not the judge.
        replace(VERDICT, **known, candidate=old, vector=verdict, uniform=uniform),
    ]


def test_shares_are_over_the_tickets_that_both_answered() -> None:
    logs = [
        *pair(1, "billing", "billing", "billing", True),
        *pair(2, "billing", "other", "other", True),
        *pair(3, "billing", "other", "billing", False),
        *pair(4, "billing", None, "billing", True),
    ]
    assert trials(logged_decisions(logs), "topic", LABELS) == [
        VersionTrial(
            "word", "1", "2", 4, 3, Share(1, 3), Share(2, 2), Share(1, 2), gained=1, lost=0
        )
    ]
    assert trials(logged_decisions(logs), "another", LABELS) == []


def test_without_a_shadow_there_is_nothing() -> None:
    plain = [
        replace(one, shadows=()) if isinstance(one, BallotLog) else one
        for one in pair(1, "billing", "billing", "billing", True)
    ]
    assert trials(logged_decisions(plain), "topic", LABELS) == []
