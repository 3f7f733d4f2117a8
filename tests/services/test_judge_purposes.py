"""What a verdict is for: to decide, to verify what was published, or to audit it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from streamer.decide.arbitration import arbitrate, quantised
from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.sampling import drawn
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Rule
from tests.services.judging import LABELS, Run, Scripted, calibration, decided, request

NAMES = LABELS.labels


def audits(candidates: Sequence[str | None], first: int = 0, **more: Any) -> list[JudgeRequest]:
    """Of labels that the rule accepted, on tickets of the stratum; the judge will say good."""
    given = {"purpose": "audit", "uniform": True, "accepted": True} | more
    return [
        request("good", number=number, candidate=candidate, **given)
        for number, candidate in enumerate(candidates, first)
    ]


def material(count: int, purpose: str, **more: Any) -> tuple[Scripted, list[JudgeRequest]]:
    """Random requests with candidate and ensemble; every second verdict in eighths, with ties."""
    rng = np.random.default_rng(20261121)
    judge, found = Scripted(), []
    q = rng.dirichlet(np.ones(3), count)
    p = rng.dirichlet(np.ones(3), count)
    p[::2] = rng.multinomial(8, np.ones(3) / 3, len(p[::2])) / 8
    for number in range(count):
        text = f"text {number}"
        judge.vectors[text] = p[number].tolist()
        candidate = NAMES[int(q[number].argmax())]
        asked = {"purpose": purpose, "candidate": candidate, "ensemble": tuple(q[number].tolist())}
        found.append(request(text, number=number, **asked, **more))
    return judge, found


async def test_verified_labels_with_v3_and_alpha_0_are_the_judges_ticket_by_ticket() -> None:
    judge, asked = material(400, "verify", revision=1)
    run = await Run(judge).of(*asked)
    alone = await Run(judge).of(
        *[replace(one, purpose="decide", candidate=None, ensemble=None) for one in asked]
    )
    assert [label.label for label in run.labels] == [label.label for label in alone.labels]
    assert len(run.labels) == 400
    assert {label.source for label in run.labels} == {"judge"}
    tied = [p.count(max(p)) > 1 for p in map(list, judge.vectors.values())]
    assert sum(tied) > 10


@pytest.mark.parametrize(
    ("kind", "alpha"), [("v3", 0.0), ("v3", 0.4), ("diff", 0.1), ("opt", 0.3), ("pool", 0.4)]
)
async def test_corrections_are_the_labels_that_differ_and_that_the_rule_rejects(
    kind: str, alpha: float
) -> None:
    judge, asked = material(400, "verify")
    run = await Run(judge, decided(kind, alpha)).of(*asked)
    corrected = 0
    for label, one in zip(run.labels, asked, strict=True):
        assert (label.revision, label.final) == (1, True)
        assert label.verdict == ("confirmed" if label.label == one.candidate else "corrected")
        corrected += label.verdict == "corrected"
    p = quantised(np.array([judge.vectors[one.ticket.text] for one in asked], np.float32))
    q = np.array([one.ensemble for one in asked])
    differ = p.argmax(axis=1) != q.argmax(axis=1)
    rejected = ~arbitration_rule(kind, alpha).keeps(q, p)
    assert 0 < corrected == int((differ & rejected).sum()) < 400
    assert run.metric("streamer_verified_total", "mood", "corrected") == corrected
    assert run.metric("streamer_verified_total", "mood", "confirmed") == 400 - corrected
    assert run.metric("streamer_verdicts_total", "mood", "verify") == 400


async def test_the_workers_label_stands_where_the_rule_keeps_it_and_says_so() -> None:
    run = Run(tasks=decided("v3", 0.5))
    run.judge.vectors["close"] = (0.5, 0.3, 0.2)
    (label,) = (await run.of(request("close", candidate="bad"))).labels
    assert (label.label, label.source, label.judge) == ("bad", "workers", "7")
    assert (label.confidence, label.final, label.revision) == (0.3, True, 0)
    (label,) = (await run.of(request("close", candidate="ugly", number=2))).labels
    assert (label.label, label.source) == ("good", "judge")


async def test_a_pool_publishes_the_likeliest_of_both_and_says_whose_it_is() -> None:
    run = Run(tasks=decided("pool", 0.5))
    run.judge.vectors["close"] = (0.05, 0.45, 0.5)
    means = ((0.5, 0.45, 0.05), (0.9, 0.1, 0.0), (0.4, 0.1, 0.5), None)
    asked = [
        request("close", number=number, candidate="good", ensemble=mean)
        for number, mean in enumerate(means)
    ]
    found = [(label.label, label.source) for label in (await run.of(*asked)).labels]
    third, first, *judges = NAMES[1], NAMES[0], NAMES[2], NAMES[2]
    assert found == [(third, "pool"), (first, "workers"), *[(name, "judge") for name in judges]]
    assert run.metric("streamer_labels_total", "mood", "pool") == 1


async def test_without_a_candidate_or_its_distribution_the_judges_label_stands() -> None:
    run = await Run(tasks=decided("diff", 1.0)).of(
        request("good", number=1),
        request("good", number=2, candidate="bad"),
        request("good", number=3, candidate="bad", ensemble=(0.5, 0.5)),
        request("good", number=4, candidate="bad", ensemble=(9.0, 0.0, 0.0)),
        request("good", number=5, candidate="bad", ensemble=(0.1, 0.8, 0.1)),
        request("good", number=6, candidate="none of them"),
    )
    assert [label.label for label in run.labels] == ["good"] * 4 + ["bad", "good"]


async def test_audits_publish_nothing_but_the_log_and_tell_the_fidelity() -> None:
    run = Run(tasks=decided(review_below=1.0))
    asked = audits(["good"] * 30 + ["bad"] * 10 + [None])
    await run.of(*asked)
    assert {e.topic for e in run.emissions} == {"log"}
    assert {(log.published, log.source, log.purpose) for log in run.logs} == {(None, None, "audit")}
    assert run.metric("streamer_reviews_total", "mood") == 0
    low, estimate, high = (
        run.metric("streamer_fidelity", "mood", bound) for bound in ("low", "estimate", "high")
    )
    assert estimate == 0.75
    assert 0.4 < low < 0.75 < high < 0.95
    await run.of(*asked)
    assert run.metric("streamer_fidelity", "mood", "estimate") == 0.75


@pytest.mark.parametrize("purpose", ["audit", "verify"])
async def test_fidelity_is_of_the_uniform_tickets_whose_label_the_rule_accepted(
    purpose: str,
) -> None:
    run = await Run().of(
        *audits(["good"] * 3 + ["bad"], purpose=purpose),
        *audits(["bad"] * 5, first=100, purpose=purpose, accepted=False),
        *audits(["bad"] * 5, first=200, purpose=purpose, uniform=False),
        *audits(["bad"] * 5, first=300, purpose="decide"),
    )
    assert run.metric("streamer_fidelity", "mood", "estimate") == 0.75


@pytest.mark.parametrize("changed", [{"rule": Rule("unanimity", 2, 2)}, {"calibration": "c2"}])
async def test_fidelity_starts_anew_with_another_rule_or_calibration(
    changed: dict[str, Any],
) -> None:
    run = await Run().of(*audits(["good"] * 8))
    await run.of(*audits(["bad"] * 8, first=100), *audits(["good", "bad"], first=200, **changed))
    assert run.metric("streamer_fidelity", "mood", "estimate") == 0.5
    low = run.metric("streamer_fidelity", "mood", "low")
    alone = await Run().of(*audits(["good", "bad"]))
    assert low == alone.metric("streamer_fidelity", "mood", "low")
    await run.of(*audits(["good"] * 2, first=300, **changed))
    assert run.metric("streamer_fidelity", "mood", "estimate") == 0.75


async def test_fidelity_starts_anew_with_another_judge() -> None:
    run = await Run().of(*audits(["bad"] * 8))
    run.judge.loaded = "8"
    await run.of(*audits(["good"], first=100))
    assert run.metric("streamer_fidelity", "mood", "estimate") == 1


async def test_what_the_judge_is_unsure_of_goes_to_a_person() -> None:
    run = Run(tasks=decided(review_below=0.6))
    run.judge.vectors |= {"unsure": (0.3, 0.59, 0.11), "sure": (0.3, 0.6, 0.1)}
    await run.of(
        request("unsure", number=1, candidate="good", uniform=True),
        request("sure", number=2, candidate="good"),
    )
    (label,), (review,) = run.labels, run.reviews
    assert (label.ticket_id, review.ticket.id) == ("t2", "t1")
    assert (review.reason, review.label, review.confidence) == ("unsure", "bad", 0.59)
    assert (review.labels, review.decision_id, review.judge) == (NAMES, "1-mood", "7")
    assert review.key == b"t1/mood"
    (log,) = run.logs
    assert (log.ticket_id, log.published, log.source) == ("t1", None, None)
    assert run.metric("streamer_reviews_total", "mood", "unsure") == 1


async def test_who_hardly_names_a_label_at_all_is_unsure_however_sure_of_the_rest() -> None:
    run = Run(tasks=decided(min_coverage=0.5))
    run.judge.coverage |= {"good rambles": 0.499, "good answers": 0.5}
    await run.of(
        request("good rambles", number=1, candidate="good", uniform=True),
        request("good answers", number=2, candidate="good", uniform=True),
    )
    (label,), (review,) = run.labels, run.reviews
    assert (label.ticket_id, review.ticket.id, review.reason) == ("t2", "t1", "unsure")
    logged = {log.ticket_id: (log.coverage, log.published) for log in run.logs}
    assert logged == {"t1": (0.499, None), "t2": (0.5, "good")}


async def test_a_verification_is_published_also_where_a_person_is_asked() -> None:
    run = Run(tasks=decided(review_below=0.6))
    run.judge.vectors["unsure"] = (0.3, 0.59, 0.11)
    await run.of(request("unsure", purpose="verify", candidate="good", uniform=True))
    (label,), (review,), (log,) = run.labels, run.reviews, run.logs
    assert (label.label, label.revision, label.final) == ("bad", 1, True)
    assert (label.verdict, log.published, log.source) == ("corrected", "bad", "judge")
    assert (review.label, review.confidence) == ("bad", 0.59)
    assert run.metric("streamer_reviews_total", "mood", "unsure") == 1
    assert run.metric("streamer_verified_total", "mood", "corrected") == 1


@pytest.mark.parametrize("purpose", ["decide", "verify"])
async def test_the_log_has_the_stratum_all_audits_and_the_share_of_others(purpose: str) -> None:
    others = [request("good", number=number, purpose=purpose) for number in range(200)]
    run = await Run(log_share=0.1).of(
        *others,
        request("good", number=901, uniform=True),
        request("good", number=902, purpose="verify", candidate="good", uniform=True),
        request("good", number=903, purpose="audit"),
    )
    ids = [one.ticket.id for one in others]
    wanted = {name for name, is_in in zip(ids, drawn(ids, "s", "log", 0.1), strict=True) if is_in}
    assert {log.ticket_id for log in run.logs} == wanted | {"t901", "t902", "t903"}
    assert 5 < len(wanted) < 40
    assert {e.key for e in run.to("log")} >= {b"t901/mood", b"t903/mood"}


@pytest.mark.parametrize("temperature", [None, 0.5, 1.0, 2.5])
async def test_each_decision_follows_again_from_its_log(temperature: float | None) -> None:
    judge, asked = material(300, "decide", uniform=True)
    known = None if temperature is None else calibration(temperature)
    run = await Run(judge, decided("v3", 0.4, known)).of(*asked)
    rule = arbitration_rule("v3", 0.4)
    for label, log in zip(run.labels, run.logs, strict=True):
        assert log.calibration == (known and known.version)
        again = arbitrate(
            rule,
            np.array([log.vector], np.float32),
            temperature,
            np.array([LABELS.index[log.candidate or ""]]),
            np.zeros((1, 3)),
        )
        assert NAMES[again.label_ids[0]] == label.label == log.published
        assert round(float(again.confidence[0]), 5) == label.confidence
        assert again.source(0) == label.source == log.source


async def test_a_temperature_is_of_one_label_set() -> None:
    softer = calibration(2.0)
    (label,) = (await Run(tasks=decided(calibration=softer)).of(request("good"))).labels
    assert label.calibration == softer.version
    assert label.confidence is not None
    assert 0.6 < label.confidence < 0.7
    of_another = decided(calibration=replace(softer, label_set="0123"))
    (label,) = (await Run(tasks=of_another).of(request("good"))).labels
    assert (label.confidence, label.calibration) == (0.9, None)


async def test_a_backfill_is_judged_and_marked_but_neither_logged_nor_counted() -> None:
    run = Run(log_share=1.0)
    live = request("good", uniform=True)
    await run.of(replace(live, backfill="again"), request("bad", number=2, backfill="again"))
    assert [(one.label, one.backfill) for one in run.labels] == [
        ("good", "again"),
        ("bad", "again"),
    ]
    assert run.logs == []
    assert run.metric("streamer_labels_total") == 0
    assert run.metric("streamer_verdicts_total") == 0
    # The same decision in the live stream is another question, and so is another backfill.
    await run.of(live, replace(live, backfill="once more"))
    assert sorted(str(one.backfill) for one in run.labels) == ["None", "once more"]
    assert len(run.logs) == 1
    assert run.metric("streamer_verdicts_total") == 1
    assert run.judge.scored.count("good") == 3


async def test_nobody_is_asked_about_an_old_ticket_again() -> None:
    run = Run(tasks=decided(review_below=0.6))
    run.judge.vectors["unsure"] = (0.3, 0.59, 0.11)
    await run.of(request("unsure", backfill="again"))
    assert [(label.label, label.backfill) for label in run.labels] == [("bad", "again")]
    assert run.metric("streamer_reviews_total", "mood", "unsure") == 0
    assert {emission.topic for emission in run.emissions} == {"labels"}
