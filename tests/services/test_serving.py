"""How a task is served: audits, budgets, the optimistic mode, logs and the gold sample."""

import itertools
from dataclasses import replace

import orjson
import pytest

from streamer.decide.budget import JudgeBudget, ShareCap
from streamer.decide.sampling import Sampling
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.votes import Kind, VoteRule
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from streamer.records.log import BallotLog, Mode, log_from_json
from streamer.records.review import Review
from tests.services.making import MakeHandler, Run, votes
from tests.services.records import ticket

ALL = Sampling("salt", audit=1.0)


def ballots(run: Run) -> list[BallotLog]:
    found = [log_from_json(item.value or b"") for item in run.to("log")]
    assert all(isinstance(log, BallotLog) for log in found)
    return [log for log in found if isinstance(log, BallotLog)]


def audits(run: Run) -> list[JudgeRequest]:
    return [JudgeRequest.from_json(item.value or b"") for item in run.to("audit")]


async def test_an_audited_ticket_is_asked_of_all_and_its_label_is_the_same(
    make: MakeHandler,
) -> None:
    record = ticket(votes(1, 1, 2))
    plain = await make().of(record)
    run = await make(sampling=ALL).of(record)
    assert (run.asked("echo_c"), plain.asked("echo_c")) == (1, 0)
    (label,), (other,) = run.labels, plain.labels
    assert (label.label, label.source, label.revision) == (other.label, "workers", 0)
    (audit,) = audits(run)
    assert (audit.purpose, audit.uniform, audit.candidate) == ("audit", True, label.label)
    assert label.votes == other.votes
    assert label.confidence == other.confidence
    (log,) = ballots(run)
    assert (len(log.ballot.votes), log.served) == (3, 2)
    assert audit.decision_id == label.decision_id
    assert not run.requests
    assert not audits(plain)


@pytest.mark.parametrize("kind", ["majority", "unanimity"])
@pytest.mark.parametrize("mode", ["sequential", "optimistic"])
async def test_audits_change_nothing_that_is_published(
    make: MakeHandler, kind: Kind, mode: Mode
) -> None:
    patterns = itertools.product((0, 1, 2), repeat=3)
    records = [*(ticket(votes(*pattern)) for pattern in patterns), ticket("#nan")]
    how = {"rule": VoteRule(kind, 3), "policy": ServingPolicy(mode), "verify": 1.0}
    plain = await make(needs_ensemble=True, **how).of(*records)
    audited = await make(sampling=ALL, needs_ensemble=True, **how).of(*records)
    assert audited.asked("echo_c") > plain.asked("echo_c")
    assert _timeless(audited) == _timeless(plain)
    asked, others = (
        {r.decision_id: (r.purpose, r.candidate, r.ensemble, r.ballot) for r in run.requests}
        for run in (audited, plain)
    )
    assert asked == others


def _timeless(run: Run) -> dict[str, Label]:
    return {label.decision_id: replace(label, decided_at="") for label in run.labels}


async def test_an_audited_ticket_that_is_deferred_is_judged_once(make: MakeHandler) -> None:
    run = await make(sampling=ALL).of(ticket(votes(0, 1, 2)))
    (request,) = run.requests
    assert (request.purpose, request.uniform) == ("decide", True)
    assert request.candidate is not None
    assert not audits(run)


async def test_the_log_says_what_was_decided_and_why(make: MakeHandler) -> None:
    run = await make(sampling=ALL).of(ticket(votes(1, 1, 2)), ticket(votes(0, 1, 2)))
    accepted, deferred = sorted(ballots(run), key=lambda log: log.position.offset)
    assert accepted.label == accepted.candidate == run.labels[0].label
    assert (accepted.source, accepted.deferred, accepted.final) == ("workers", None, True)
    assert accepted.confidence == run.labels[0].confidence
    assert accepted.decision_id == run.labels[0].decision_id
    assert (deferred.label, deferred.source, deferred.deferred) == (None, None, "disagreement")
    assert deferred.candidate == run.requests[0].candidate
    assert all(log.uniform and len(log.ballot.vectors) == 3 for log in (accepted, deferred))
    assert [accepted.served, deferred.served] == [2, 3]


async def test_nothing_is_logged_or_audited_that_was_not_drawn(make: MakeHandler) -> None:
    run = await make().of(ticket(votes(1, 1, 2)), ticket(votes(0, 1, 2)))
    assert not run.to("log")
    assert not run.to("audit")
    assert not run.to("review")


async def test_logging_alone_asks_nobody_more(make: MakeHandler) -> None:
    run = await make(sampling=Sampling("salt", log=1.0)).of(ticket(votes(1, 1, 2)))
    (log,) = ballots(run)
    assert not log.uniform
    assert run.asked("echo_c") == 0
    assert not run.to("audit")


async def test_the_gold_sample_goes_to_a_person_too(make: MakeHandler) -> None:
    run = await make(sampling=Sampling("salt", gold=1.0)).of(ticket(votes(1, 1, 2)))
    assert len(audits(run)) == 1
    (item,) = run.to("review")
    review = Review.from_json(item.value or b"")
    (label,) = run.labels
    assert (review.reason, review.label) == ("gold", label.label)
    assert (review.decision_id, review.position) == (label.decision_id, label.position)


async def test_over_the_budget_the_ensembles_label_stands_in(make: MakeHandler) -> None:
    budget = JudgeBudget(ShareCap(0.5, burst=4), now=0)
    run = await make(budget=budget, sampling=ALL).of(*[ticket(votes(0, 1, 2)) for _ in range(6)])
    assert len(run.requests) == 2
    assert {label.source for label in run.labels} == {"fallback"}
    assert len(run.labels) == 4
    assert len(audits(run)) == 4
    logs = ballots(run)
    assert sorted(log.deferred or "" for log in logs) == ["budget"] * 4 + ["disagreement"] * 2
    assert all(log.suspended for log in logs)
    assert 'streamer_guarantee_suspended{task="intent"} 1.0' in run.metrics.render().decode()


async def test_an_optimistic_label_is_published_before_the_judge_is_asked(
    make: MakeHandler,
) -> None:
    run = await make(policy=ServingPolicy("optimistic"), verify=1.0).of(
        ticket(votes(1, 1, 2)), ticket(votes(0, 1, 2))
    )
    assert [(label.revision, label.final) for label in run.labels] == [(0, False)] * 2
    assert [request.purpose for request in run.requests] == ["verify"] * 2
    assert all(request.revision == 1 for request in run.requests)
    asked = {request.decision_id: request.candidate for request in run.requests}
    assert asked == {label.decision_id: label.label for label in run.labels}
    # Kafka has each label before the request about it is sent.
    labelled, requested = (
        {
            orjson.loads(emission.value or b"")["decision_id"]: place
            for place, group in enumerate(run.groups)
            for emission in run.among(group, topic)
        }
        for topic in ("labels", "judge")
    )
    assert len(requested) == 2
    for decision, place in requested.items():
        assert any(labelled[decision] < barrier < place for barrier in run.barriers)


async def test_what_is_not_verified_is_final_at_once(make: MakeHandler) -> None:
    run = await make(policy=ServingPolicy("optimistic"), verify=0.0).of(ticket(votes(0, 1, 2)))
    (label,) = run.labels
    assert (label.final, label.revision) == (True, 0)
    assert not run.requests


async def test_without_any_vote_the_optimistic_mode_asks_first(make: MakeHandler) -> None:
    run = await make(policy=ServingPolicy("optimistic"), verify=1.0).of(
        ticket("no answer at all #nan")
    )
    assert not run.labels
    assert [request.purpose for request in run.requests] == ["decide"]


async def test_the_judge_gets_the_ensemble_where_its_rule_needs_it(make: MakeHandler) -> None:
    rule = VoteRule("unanimity", 3)
    without = await make(rule=rule).of(ticket(votes(0, 1, 2)))
    run = await make(rule=rule, needs_ensemble=True).of(ticket(votes(0, 1, 2)))
    assert without.requests[0].ensemble is None
    (request,) = run.requests
    vectors = [vector for vector in request.ballot.vectors if vector is not None]
    mean = [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]
    assert request.ensemble == pytest.approx(mean, abs=1e-5)
