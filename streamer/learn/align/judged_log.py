"""The judged decisions of one task, and how they are split by time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.backends.gate import Gate
from streamer.errors import ConfigError
from streamer.learn.align.chances import Chances
from streamer.learn.align.sample import JudgedSample
from streamer.learn.data.decisions import LoggedDecision
from streamer.records.labelset import LabelSet
from streamer.records.log import BallotLog, VerdictLog

TEST_SHARE = 0.3
"""Of the uniform tickets, the last by time: all that is claimed rests on them."""

HELD_OUT_SHARE = 0.2
"""Of the uniform tickets before those, again the last: they choose between candidates (we choose).
"""

LEAST = 20
"""Uniform tickets that a test, or a choice, needs (we choose)."""

NO_TEXT = "have no text in the file"
OTHER_JUDGE = "were judged by another judge than the newest"


@dataclass(frozen=True, slots=True)
class JudgedLog:
    """Decisions that have a ballot, the newest judge's probabilities and a text, by their time."""

    decisions: tuple[LoggedDecision, ...]
    left_out: Mapping[str, int]

    @classmethod
    def of(
        cls,
        decisions: Sequence[LoggedDecision],
        task: str,
        labels: LabelSet,
        texts: Mapping[str, str],
    ) -> "JudgedLog":
        """Of decisions of any task; `texts` by the tickets' ids."""
        mine = sorted(
            (decision for decision in decisions if _is_of(decision, task, labels)), key=time_of
        )
        newest = verdict_of(mine[-1]).judge if mine else None
        kept, left_out = [], Counter[str]()
        for decision in mine:
            if ballot_of(decision).ticket_id not in texts:
                left_out[NO_TEXT] += 1
            elif verdict_of(decision).judge != newest:
                left_out[OTHER_JUDGE] += 1
            else:
                kept.append(decision)
        return cls(tuple(kept), dict(left_out))

    @property
    def notes(self) -> list[str]:
        """What was left out, in words; empty where nothing was."""
        return [f"{count} judged tickets {why}: left out" for why, count in self.left_out.items()]


@dataclass(frozen=True, slots=True)
class Parts:
    """`test` are uniform tickets from the time `since` on, `train` all before it.

    Of `train`, `held_out` are the last uniform ones, and `early` is all before those.
    """

    early: tuple[LoggedDecision, ...]
    held_out: tuple[LoggedDecision, ...]
    train: tuple[LoggedDecision, ...]
    test: tuple[LoggedDecision, ...]
    since: str

    @classmethod
    def of(cls, log: JudgedLog) -> "Parts":
        """Raises `ConfigError` where the uniform tickets are too few for that."""
        train, test, since = _cut(log.decisions, TEST_SHARE)
        early, held_out, _ = _cut(train, HELD_OUT_SHARE)
        if min(len(test), len(held_out)) < LEAST or not early:
            raise ConfigError(
                f"the log has {sum(map(is_uniform, log.decisions))} judged tickets of the uniform"
                f" stratum with a text, at {len(set(map(time_of, log.decisions)))} times;"
                f" {LEAST} are needed to choose and {LEAST} to test: raise audit.share, wait, and"
                " export the log again"
            )
        return cls(early, held_out, train, test, since)


def judged_of(
    decisions: Sequence[LoggedDecision],
    labels: LabelSet,
    texts: Mapping[str, str],
    chances: Chances,
    gate: Gate | None,
) -> JudgedSample:
    """What can be learnt of decisions of a `JudgedLog`. Raises `ConfigError` for shares by which
    none of them could have been drawn.
    """
    read = tuple(texts[ballot_of(decision).ticket_id] for decision in decisions)
    drawn = np.array([chances.of(ballot_of(decision)) for decision in decisions], np.float64)
    if not drawn.all():
        raise ConfigError(
            "the log has tickets that audit.share, review.gold and log.share don't let into it:"
            " set them as they were when the log was written"
        )
    vectors = [verdict_of(decision).vector for decision in decisions]
    rows = np.array(vectors, np.float64).reshape(-1, len(labels))
    rows /= np.maximum(rows.sum(axis=1, keepdims=True), 1e-12)
    return JudgedSample(
        read,
        rows.argmax(axis=1),
        rows.astype(np.float32),
        (1 / drawn).astype(np.float32),
        None if gate is None else gate.names(read).segment_ids,
    )


def ballot_of(decision: LoggedDecision) -> BallotLog:
    """Of a decision in a `JudgedLog`."""
    assert decision.ballot is not None  # decisions without one are none of it
    return decision.ballot


def verdict_of(decision: LoggedDecision) -> VerdictLog:
    """Of a decision in a `JudgedLog`."""
    assert decision.verdict is not None  # decisions without one are none of it
    return decision.verdict


def is_uniform(decision: LoggedDecision) -> bool:
    """Whether a decision in a `JudgedLog` is of the uniform stratum."""
    return ballot_of(decision).uniform


def time_of(decision: LoggedDecision) -> str:
    """When a decision in a `JudgedLog` was made, as RFC 3339 with milliseconds: sorts as text."""
    return ballot_of(decision).at


def _is_of(decision: LoggedDecision, task: str, labels: LabelSet) -> bool:
    ballot, verdict = decision.ballot, decision.verdict
    if ballot is None or verdict is None or verdict.vector is None:
        return False
    own = (ballot.task, ballot.label_set, len(verdict.vector))
    return own == (task, labels.version, len(labels)) and verdict.label_set == labels.version


def _cut(
    decisions: tuple[LoggedDecision, ...], share: float
) -> tuple[tuple[LoggedDecision, ...], tuple[LoggedDecision, ...], str]:
    """All before a time, the uniform ones from it on, about `share` of those, and the time."""
    times = [time_of(decision) for decision in decisions if is_uniform(decision)]
    if not times:
        return (), (), ""
    since = times[min(int(len(times) * (1 - share)), len(times) - 1)]
    before = tuple(decision for decision in decisions if time_of(decision) < since)
    after = tuple(
        decision for decision in decisions if time_of(decision) >= since and is_uniform(decision)
    )
    return before, after, since
