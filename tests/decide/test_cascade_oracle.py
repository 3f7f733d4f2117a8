"""What stood written in several places, and the one description that follows: bit for bit alike."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest

from streamer.decide import serving_policy
from streamer.decide.arbitration_rules import ArbitrationRule, Diff, Opt, TokenV1, TokenV3
from streamer.decide.budget import JudgeBudget, RateCap, ShareCap
from streamer.decide.candidate import workers_candidate
from streamer.decide.decision import Decision
from streamer.decide.dispose import Disposition, calls_within, dispose
from streamer.decide.disposition import ServingPolicy
from streamer.decide.predictions import ABSTAINED
from streamer.decide.rounding import rounded
from streamer.decide.sampling import Draws
from streamer.decide.third_worker import as_asked, asked_first, decide_as_asked, third_asked
from streamer.decide.vote_result import OutagePolicy, VoteResult, WorkerVotes
from streamer.decide.votes import VoteRule, plurality
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.evaluation.outcome import Outcome
from streamer.learn.evaluation.tickets import Tickets
from streamer.learn.measures import served
from streamer.learn.measures.served import Asked, Served
from streamer.learn.replay.formerly import formerly, now
from streamer.learn.replay.known_versions import KnownVersions
from streamer.learn.replay.replay import _Again, _opinions, _rule, _seats, _stood_in
from streamer.learn.replay.what_if import Published, what_if
from streamer.learn.segments.by_segment import SegmentRoute
from streamer.records.judge_request import Ballot
from streamer.records.label import Position, Vote
from streamer.records.labelset import LabelSet
from streamer.records.log import BallotLog, Mode, Reason
from tests.decide.drawn_ballots import LABELS, DrawnBallots, ballots, judge

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
    old = drawn.rule.of if drawn.rule.asks_all else 2
    decision = drawn.thresholded.decide(drawn.raw[:old], drawn.which, drawn.rule.of - old)
    asked, rows = drawn.raw[:old], np.flatnonzero(~decision.open)
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


def test_the_third_is_asked_where_it_was(seed: int) -> None:
    asked = 0
    for _, drawn in some_ballots(seed):
        old = drawn.rule.of if drawn.rule.asks_all else min(2, drawn.rule.of)
        left = drawn.rule.of - old
        assert asked_first(drawn.rule) == asked_first(drawn.thresholded.rule) == old
        still_open = drawn.thresholded.decide(drawn.raw[:old], drawn.which, left).open
        third = third_asked(drawn.rule, drawn.raw[:old])
        assert same(still_open, third)
        if left:
            assert same(served.third_asked(drawn.raw, drawn.rule), third)
        asked += int(third.sum())
    assert asked > 500


def logs_of(rng: np.random.Generator, drawn: DrawnBallots) -> list[BallotLog]:
    """Alike, of any mode and cause, also such as cannot have been together."""
    served = int(rng.choice([0, drawn.rule.of, min(2, drawn.rule.of)], p=[0.05, 0.6, 0.35]))
    if asked_first(drawn.rule) == drawn.rule.of and served:
        served = drawn.rule.of
    mode, deferred = rng.choice(get_args(Mode)), rng.choice([None, *get_args(Reason)])
    source = None if deferred is None else rng.choice(["fallback", "workers"])
    found = []
    for row in range(len(drawn.which)):
        votes, vectors = [], []
        for name, said, out in zip(NAMES, drawn.raw, drawn.out, strict=False):
            code = int(said.label_ids[row])
            label = SET.labels[code] if code >= 0 else None
            why = None if label is not None else "outage" if out else "unusable"
            votes.append(Vote(name, "1", label, None, why))
            known = said.probabilities is not None and label is not None
            vectors.append(tuple(said.probabilities[row].tolist()) if known else None)
        found.append(
            BallotLog(
                decision_id=f"id-{row}",
                ticket_id=str(row),
                task="planted",
                label_set=SET.version,
                position=Position("s", "t", 0, row),
                at="",
                uniform=False,
                ballot=Ballot(tuple(votes), tuple(vectors)),
                served=served,
                rule=drawn.rule.described(NAMES[: drawn.rule.of]),
                calibration=None,
                label=None,
                confidence=None,
                source=source,
                candidate=None,
                deferred=deferred,
                suspended=False,
                final=True,
                mode=mode,
            )
        )
    return found


class Known(KnownVersions):
    """The router's weights, and a temperature for some worker."""

    def __init__(self, drawn: DrawnBallots) -> None:
        super().__init__({})
        object.__setattr__(self, "calibrations", {"drawn": drawn})

    def temperatures(self, log: BallotLog) -> dict[str, float]:
        return {"two": 0.7, "three": 0.01}

    def weights(self, log: BallotLog) -> Any:
        return getattr(self.calibrations["drawn"].rule, "weights", None)


def again(logs: list[BallotLog], known: KnownVersions, how: Any) -> tuple[Any, Disposition]:
    first, stood_in = logs[0], _stood_in(logs[0])
    policy = New(first.mode, "fallback" if stood_in == "outage" else "judge")
    said, outage = _opinions(logs, SET, known, how), False
    decision = Decision.none(len(logs))
    if said:
        rule = _rule(first, known)
        outage = not rule.decidable([vote.abstained != "outage" for vote in _seats(first, rule)])
        decision = how.decided(rule, said, rule.of - len(said))
    own = workers_candidate(decision, said, policy, outage, mean=True)
    return said, dispose(
        decision,
        own,
        policy,
        Draws.none(len(logs)),
        asked=bool(said),
        outage=outage,
        allowed=np.full(len(logs), stood_in != "budget"),
    )


def test_what_is_replayed_is_disposed_of_as_it_was(seed: int) -> None:
    seen: Counter[str | None] = Counter()
    for rng, drawn in some_ballots(seed):
        logs, known = logs_of(rng, drawn), Known(drawn)
        for how in (now(), formerly()):
            old, (_, new) = _Again.of(logs, SET, known, how), again(logs, known, how)
            labelled = old.published.label_ids != ABSTAINED
            assert same(old.published.label_ids, new.published.label_ids)
            assert same(
                old.published.confidence[labelled],
                np.round(new.published.confidence[labelled], 5),
            )
            assert same(old.own.label_ids, new.candidate.label_ids)
            assert same(old.own.ensemble, new.candidate.ensemble)
            assert same(old.fallback, new.fallback)
            assert old.deferred == new.deferred
            for row in range(len(logs)):
                cause = old.deferred if not labelled[row] else None
                cause = _stood_in(logs[row]) if old.fallback[row] else cause
                assert new.why(row) == cause
                seen[cause] += 1
    print(dict(seen))
    assert min(seen[cause] for cause in (None, *get_args(Reason))) > 50


def cases_of(rng: np.random.Generator, drawn: DrawnBallots) -> Dataset:
    count = len(drawn.which)
    return Dataset(
        "planted",
        SET.labels,
        NAMES[: drawn.rule.of],
        drawn.raw,
        judge(rng, count),
        np.full(count, UNKNOWN),
        tuple(map(str, range(count))),
    )


def served_now(cases: Dataset, rule: Any, policy: New) -> list[np.ndarray]:
    """What is published, the candidates, who is judged and verified, and the workers' mean, joined
    over the parts of the batch.
    """
    made, order = [], []
    for rows, said in as_asked(rule, cases.worker_predictions):
        decision = rule.decide(said)
        own = workers_candidate(decision, said, policy, mean=True)
        sample = replace(Draws.none(len(rows)), verify=np.ones(len(rows), np.bool_))
        disposition = dispose(decision, own, policy, sample)
        mean = np.zeros((len(rows), LABELS)) if own.ensemble is None else rounded(own.ensemble)
        made.append((disposition, own.label_ids, mean))
        order.append(rows)
    at = np.argsort(np.concatenate(order))
    return [
        np.concatenate([np.asarray(pick(each)) for each in made])[at]
        for pick in (
            lambda one: one[0].published.label_ids,
            lambda one: one[1],
            lambda one: one[0].decide,
            lambda one: one[0].verify,
            lambda one: one[2],
        )
    ]


def after_of(rng: np.random.Generator) -> ArbitrationRule:
    alpha = float(rng.choice([-0.2, 0.0, 0.1, 0.5]))
    rules = (Diff(alpha), Opt(alpha), Opt(alpha, "greedy"), TokenV1(alpha), TokenV3(abs(alpha)))
    return rules[rng.integers(len(rules))]


def test_what_would_be_and_what_is_evaluated_are_as_they_were(seed: int) -> None:
    corrected = unlike = 0
    for rng, drawn in some_ballots(seed):
        cases, rule, after = cases_of(rng, drawn), drawn.rule, after_of(rng)
        old, verdicts = Served.of(cases, rule), cases.judge.label_ids
        for mode in get_args(Mode):
            published, own, decide, verify, mean = served_now(cases, rule, New(mode))
            assert same(old.named, own)
            assert same(old.mean, mean)
            stands = Served(published, own, mean).standing(cases.judge, after, own)
            found = what_if(cases, rule, after, mode)
            labelled = published != ABSTAINED
            assert found.coverage.hits == labelled.sum()
            assert found.fidelity.hits == (published == verdicts)[labelled].sum()
            assert found.judge_rate.hits == (decide | verify).sum()
            differs = (own != ABSTAINED) & (own != verdicts) & ~stands.kept
            assert found.corrections.hits == (differs & verify).sum()
            corrected += found.corrections.hits
            told = Published.of(cases, rule, after, mode)
            agrees = np.where(decide, ~stands.kept | (own == verdicts), published == verdicts)
            assert same(told.asked, decide | verify)
            # Where no worker answered the judge decides, in this mode as well: the old forgot it.
            known = own != ABSTAINED if mode == "optimistic" else np.ones(len(own), np.bool_)
            assert same(told.agrees[known], agrees[known])
            unlike += int((~known).sum())
            if mode == "sequential":
                assert same(old.accepted, published)
                tickets = Tickets(cases, cases, rule, plurality(drawn.raw).label_ids, 0)
                outcome = Outcome.of(tickets, after)
                final = np.where(decide, stands.label_ids, published)
                assert same(outcome.accepted, published)
                assert same(outcome.kept, stands.kept & decide)
                assert same(outcome.final, final)
    assert corrected > 500
    print("without any answer, in mode optimistic:", unlike)


def test_who_is_asked_and_what_is_chosen_are_as_they_were(seed: int) -> None:
    for rng, drawn in some_ballots(seed):
        cases, rule = cases_of(rng, drawn), drawn.rule
        tickets = Tickets(cases, cases, rule, plurality(drawn.raw).label_ids, 0)
        asked = np.ones((rule.of, len(cases)))
        asked[asked_first(rule) :] = third_asked(rule, drawn.raw)
        assert same(tickets.asked(rule), asked)
        likeliest = np.full(len(cases), ABSTAINED)
        for rows, said in as_asked(rule, drawn.raw):
            own = workers_candidate(Decision.none(len(rows)), said, New())
            likeliest[rows] = own.label_ids
        assert same(Served.of(cases, rule).likeliest, likeliest)
        decided = decide_as_asked(rule, drawn.raw)
        route = SegmentRoute(tuple(range(rule.of)), rule)
        assert same(route.decided(drawn.raw), decided.label_ids)
        chosen = Asked(after_of(rng), 1.0)
        published = np.where(
            decided.label_ids == ABSTAINED, chosen.labels(cases, rule), decided.label_ids
        )
        assert same(chosen.published(cases, rule), published)
        assert isinstance(rule, VoteRule) or not third_asked(rule, drawn.raw).any()
