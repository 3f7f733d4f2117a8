"""What stood written in several places, and the one description that follows: bit for bit alike."""

from collections import Counter
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest

from streamer.decide import serving_policy
from streamer.decide.budget import JudgeBudget, RateCap, ShareCap
from streamer.decide.candidate import workers_candidate
from streamer.decide.decision import Decision
from streamer.decide.dispose import Disposition, calls_within, dispose
from streamer.decide.disposition import ServingPolicy
from streamer.decide.predictions import ABSTAINED
from streamer.decide.sampling import Draws
from streamer.decide.third_worker import asked_first, third_asked
from streamer.decide.vote_result import OutagePolicy, VoteResult, WorkerVotes
from streamer.records.labelset import LabelSet
from streamer.records.log import Mode
from tests.decide.drawn_ballots import LABELS, DrawnBallots, ballots

BALLOTS = 10_000
SET = LabelSet(tuple(f"label {code}" for code in range(LABELS)))
NAMES = ("one", "two", "three")
New = serving_policy.ServingPolicy


@pytest.fixture
def seed() -> int:
    seed = int(np.random.default_rng().integers(2**32))
    print("seed", seed)
    return seed


def some_ballots(seed: int) -> Any:
    rng, told = np.random.default_rng(seed), 0
    while told < BALLOTS:
        drawn = ballots(rng)
        told += len(drawn.which)
        yield rng, drawn


def same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == "f"))


def result_of(rng: np.random.Generator, drawn: DrawnBallots) -> VoteResult:
    """The outcome for those on whom the first decided, or for those on whom all did."""
    asked, third = drawn.raw[: asked_first(drawn.rule)], third_asked(drawn.rule, drawn.raw)
    rows = np.flatnonzero(~third)
    if rng.random() < 0.5 or not len(rows):
        asked, rows = drawn.raw, np.arange(len(drawn.which))
    if rng.random() < 0.05:
        asked, rows = (), np.arange(len(drawn.which))
    votes = tuple(
        WorkerVotes(name, "1", said[rows], said[rows], "outage" if out else None)
        for name, said, out in zip(NAMES, asked, drawn.out, strict=False)
    )
    which = drawn.which[rows]
    if votes:
        decision = drawn.thresholded.decide([each.predictions for each in votes], which)
    else:
        decision = Decision.none(len(rows))
    outage = bool(votes) and drawn.outage(len(votes))
    return VoteResult(rows, votes, decision, outage, (), which, stale=bool(rng.random() < 0.1))


def budget_of(rng: np.random.Generator) -> Callable[[], JudgeBudget] | None:
    share, earlier = float(rng.uniform(0.05, 0.6)), int(rng.integers(6))
    cap = ShareCap(share, 20) if rng.random() < 0.5 else RateCap(share, 20)

    def made() -> JudgeBudget:
        budget = JudgeBudget(cap, 0.0)
        budget.allow(earlier, 5, 1.0)
        return budget

    return made if rng.random() < 0.5 else None


def sample_of(rng: np.random.Generator, count: int) -> Draws:
    return Draws(*(rng.random(count) < 0.4 for _ in range(4)))


def disposed(
    result: VoteResult, sample: Draws, policy: New, budget: JudgeBudget | None
) -> Disposition:
    said = [votes.predictions for votes in result.worker_votes]
    own, allowed = workers_candidate(result.decision, said, policy, result.outage), None
    if budget is not None and not policy.falls_back(result.outage):
        wanted = int((result.decision.label_ids == ABSTAINED).sum())
        count = budget.allow(wanted, len(result.rows), 3.0, 0.5)
        allowed = calls_within(count, result.decision, own)
    return dispose(
        result.decision,
        own,
        policy,
        sample,
        asked=bool(said),
        outage=result.outage,
        allowed=allowed,
    )


def test_what_is_served_is_disposed_of_as_it_was(seed: int) -> None:
    seen: Counter[str] = Counter()
    for rng, drawn in some_ballots(seed):
        result, make = result_of(rng, drawn), budget_of(rng)
        mode, on_outage = rng.choice(get_args(Mode)), rng.choice(get_args(OutagePolicy))
        if mode == "optimistic":
            make = None
        sample = sample_of(rng, len(result.rows))
        one, other = (None, None) if make is None else (make(), make())
        old = ServingPolicy(mode, on_outage, one).plan(result, sample, 3.0, 0.5)
        new = disposed(result, sample, New(mode, on_outage), other)
        labelled = ~old.decide
        assert same(old.published.label_ids, new.published.label_ids)
        assert same(old.published.confidence[labelled], new.published.confidence[labelled])
        assert same(old.own.label_ids, new.candidate.label_ids)
        assert same(old.own.ensemble, new.candidate.ensemble)
        for name in ("fallback", "verify", "audit", "decide", "final"):
            assert same(getattr(old, name), getattr(new, name)), name
        assert old.deferred == new.deferred
        assert old.stands_in == new.stands_in or not old.fallback.any()
        assert [(p.places.tolist(), p.source, p.final) for p in old.parts()] == [
            (p.rows.tolist(), p.source, p.final) for p in new.groups()
        ]
        if one is not None and other is not None:
            assert (one.left, one.spent, one.suspended) == (
                other.left,
                other.spent,
                other.suspended,
            )
        seen += Counter({new.deferred: int(new.decide.sum())})
        seen += Counter({f"for {new.stands_in}": int(new.fallback.sum())})
        for name in ("verify", "audit", "final"):
            seen[name] += int(getattr(new, name).sum())
    print(dict(seen))
    assert min(seen.values()) > 50
