"""A log of a version that calculated otherwise is told from a decision that is wrong."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.decide.arbitration_rules import Diff, Opt, TokenV3
from streamer.learn.replay.formerly import formerly, now
from streamer.learn.replay.known_versions import KnownVersions
from streamer.learn.replay.replay import Replayed, replay
from streamer.records.labelset import LabelSet
from streamer.records.log import BallotLog, Log, VerdictLog, log_from_json
from tests.decide.test_distributions import drawn
from tests.learn.before import COLD, LABELS, lines

LOG = Path(__file__).parent / "log_of_before.jsonl"


def read(records: Iterable[bytes]) -> list[Log]:
    return [log_from_json(record) for record in records]


def again(logs: list[Log]) -> Replayed:
    return replay(logs, {"planted": LabelSet(LABELS)}, KnownVersions({"cold": COLD}))


def kinds(found: Replayed) -> dict[str, set[tuple[str, str]]]:
    return {
        why: {(one.decision_id, one.kind) for one in some} for why, some in found.otherwise.items()
    }


OTHERWISE = {
    "at the threshold": {
        ("deferred at the threshold", "ballot"),
        ("kept at the threshold", "verdict"),
    },
    "mean against majority": {("mean against majority", "verdict")},
    "cold temperature": {
        ("cold temperature", "ballot"),
        ("a cold judge", "verdict"),
    },
}


def test_what_was_decided_otherwise_before_is_apart_by_its_reason() -> None:
    found = again(read(LOG.read_bytes().splitlines()))
    assert found.differences == ()
    assert kinds(found) == OTHERWISE


@pytest.mark.parametrize("place", range(10))
def test_a_planted_difference_is_still_one(place: int) -> None:
    logs = read(LOG.read_bytes().splitlines())
    wrong = logs[place]
    if isinstance(wrong, BallotLog):
        logs[place] = replace(wrong, candidate="c" if wrong.candidate != "c" else "b")
    elif isinstance(wrong, VerdictLog) and wrong.published is not None:
        logs[place] = replace(wrong, published="b" if wrong.published != "b" else "c")
    else:
        logs[place] = replace(logs[place - 1], deferred="outage")
    found = again(logs)
    assert {one.decision_id for one in found.differences} == {wrong.decision_id}
    others = {name for some in OTHERWISE.values() for name, _ in some} - {wrong.decision_id}
    assert {name for some in kinds(found).values() for name, _ in some} >= others


async def test_what_is_decided_now_needs_no_excuse() -> None:
    found = again(read(await lines()))
    assert found.differences == ()
    assert found.otherwise == {}
    assert {log.decision_id for log in read(await lines())} == {
        log.decision_id for log in read(LOG.read_bytes().splitlines())
    }


@pytest.mark.parametrize("rule", [Diff(0.11), Opt(0.31), Opt(0.31, "greedy"), TokenV3(0.53)])
def test_away_from_equality_both_reckonings_are_one(rule: Diff | Opt | TokenV3) -> None:
    q, p = drawn(11)
    kept = [how.after(rule).keeps(q, p, q.argmax(axis=1)) for how in (now(), formerly())]
    assert np.array_equal(*kept)
    assert 0 < kept[0].sum() < len(q)
