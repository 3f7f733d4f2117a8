"""Every decision of a log comes out again, and whatever was changed in one is noticed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from streamer.decide.budget import JudgeBudget, ShareCap
from streamer.decide.calibrated import calibrated_rule
from streamer.decide.chow import Chow
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.votes import Kind, VoteRule
from streamer.errors import ConfigError
from streamer.learn.calibrate.calibrate import calibrate
from streamer.learn.calibrate.targets import JudgeShareTarget as Wish
from streamer.learn.data.dataset import Dataset
from streamer.learn.replay.known_versions import KnownVersions
from streamer.learn.replay.replay import Replayed, replay
from streamer.records.calibration import Calibration
from streamer.records.label import After
from streamer.records.labelset import LabelSet
from streamer.records.log import AnswerLog, BallotLog, Log, VerdictLog, log_from_json, log_json
from tests.learn import planted
from tests.learn.served import AT, Serving

COUNT = 500


def made_cases(seed: int = 1, count: int = COUNT) -> Dataset:
    cases = planted.shifted(np.random.default_rng(seed), count)
    broken = cases.worker_predictions[0].probabilities
    assert broken is not None
    broken[::50] = np.nan
    return cases


def ballots(logs: list[Log]) -> list[BallotLog]:
    return [log for log in logs if isinstance(log, BallotLog)]


def again(logs: list[Log], cases: Dataset, *known: Calibration) -> Replayed:
    """Replayed as a file would have it: through JSON."""
    read = [log_from_json(log_json(log)) for log in logs]
    served = {"planted": LabelSet(cases.labels)}
    return replay(read, served, KnownVersions({one.version: one for one in known}))


SERVINGS = {
    "majority": Serving(),
    "majority, only audits ask the third": Serving(audit=0.1),
    "unanimity, only audits ask the third": Serving(
        VoteRule("unanimity", 3), After("diff", -0.1), audit=0.1
    ),
    "unanimity, sure": Serving(VoteRule("unanimity", 3, "min", 0.6)),
    "ensemble": Serving(VoteRule("majority", 3, "ensemble", 0.7)),
    "chow": Serving(Chow(0.3, 3)),
    "chow of one": Serving(Chow(0.2, 3, 1)),
    "token rule": Serving(after=After("v3", 0.7)),
    "diff": Serving(after=After("diff", -0.1)),
    "opt": Serving(after=After("opt", 0.4)),
    "opt, greedy": Serving(after=After("opt_greedy", 0.4)),
    "pool": Serving(after=After("pool", 0.4)),
    "linear pool": Serving(VoteRule("unanimity", 3), After("pool_linear", 0.7)),
    "a worker out": Serving(out=("two",)),
    "outage to the judge": Serving(policy=ServingPolicy(on_outage="judge"), out=("two", "three")),
    "outage and fallback": Serving(
        policy=ServingPolicy(on_outage="fallback"), out=("two", "three")
    ),
    "outage and fallback, two answer": Serving(
        VoteRule("unanimity", 3, "min", 0.6),
        policy=ServingPolicy(on_outage="fallback"),
        out=("two",),
    ),
    "outage and fallback, some unusable": Serving(
        Chow(0.3, 3), policy=ServingPolicy(on_outage="fallback"), out=("two", "three")
    ),
    "optimistic outage and fallback": Serving(
        Chow(0.3, 3),
        After("diff", -0.1),
        ServingPolicy("optimistic", "fallback"),
        verify=1,
        out=("two",),
    ),
    "nobody answers": Serving(
        policy=ServingPolicy(on_outage="fallback"),
        out=("one", "two", "three"),
        after=After("diff", 0.1),
    ),
}


@pytest.mark.parametrize("serving", SERVINGS.values(), ids=SERVINGS.keys())
async def test_every_decision_is_reproduced_bit_for_bit(serving: Serving) -> None:
    cases = made_cases()
    logs = await serving.log(cases)
    found = again(logs, cases)
    assert found.differences == ()
    assert found.ballots == len(cases)
    assert found.verdicts == sum(
        log.kind == "verdict" and log.published is not None for log in logs
    )


@pytest.mark.parametrize(
    ("out", "reasons"),
    [
        ((), {None, "budget", "disagreement"}),
        (("two", "three"), {"budget", "outage", "disagreement"}),
    ],
)
async def test_the_budgets_labels_are_reproduced(
    out: tuple[str, ...], reasons: set[str | None]
) -> None:
    cases = made_cases()
    budget = JudgeBudget(ShareCap(0.1, burst=30), now=0)
    serving = Serving(policy=ServingPolicy(on_outage="judge"), budget=budget, out=out)
    logs = await serving.log(cases)
    assert {log.deferred for log in ballots(logs)} == reasons
    assert again(logs, cases).differences == ()


@pytest.mark.parametrize("kind", ["majority", "unanimity"])
async def test_who_was_asked_for_the_stratum_alone_has_no_say(kind: Kind) -> None:
    cases = made_cases()
    logs = await Serving(VoteRule(kind, 3)).log(cases)
    served = [(log.served, len(log.ballot.votes)) for log in ballots(logs)]
    assert set(served) == {(2, 3), (3, 3)}
    all_had = [replace(log, served=3) if isinstance(log, BallotLog) else log for log in logs]
    found = {one.field for one in again(all_had, cases).differences}
    assert found >= ({"confidence"} if kind == "majority" else {"candidate"})


async def test_a_verdict_is_held_to_the_last_ballot_of_its_decision() -> None:
    """Repeats may differ in who answered, and so fall into groups that are decided apart."""
    cases = made_cases()
    after = After("opt", 0.7)
    logs = await Serving(after=after).log(cases)
    before = ballots(await Serving(after=after, out=("two",)).log(cases))
    last = ballots(logs)
    known = {log.decision_id for log in last[: COUNT // 2]}
    early = [log for log in before if log.decision_id not in known]
    verdicts = [log for log in logs if isinstance(log, VerdictLog)]
    repeated = [*last[: COUNT // 2], *early, *last[COUNT // 2 :], *verdicts]
    assert again(repeated, cases).differences == ()
    turned = [*last, *early, *verdicts]
    assert {one.kind for one in again(turned, cases).differences} == {"verdict"}


async def test_a_verdict_is_not_held_to_a_ballot_of_another_ticket_at_the_place() -> None:
    """As after the tickets topic was made again: offsets and decision ids came again."""
    cases = made_cases()
    logs = await Serving(after=After("opt", 0.7)).log(cases)
    others = [log for log in logs if isinstance(log, BallotLog)]
    turned = [replace(log, decision_id=others[-1 - n].decision_id) for n, log in enumerate(others)]
    anew = [replace(log, ticket_id=f"new {log.ticket_id}") for log in turned]
    assert again([*logs, *anew], cases).differences == ()


@pytest.mark.parametrize(
    "after", [After("v3", 0.0), After("diff", 0.1), After("pool", 0.5)], ids=str
)
async def test_the_optimistic_mode_is_reproduced(after: After) -> None:
    cases = made_cases()
    serving = Serving(after=after, policy=ServingPolicy("optimistic"), verify=0.5, audit=0.2)
    logs = await serving.log(cases)
    found = again(logs, cases)
    assert found.differences == ()
    assert found.verdicts > COUNT * 0.4


@pytest.mark.parametrize("share", [0.1, 0.4])
async def test_a_calibrated_rule_is_reproduced_by_its_file(share: float) -> None:
    known = planted.over_confident(planted.specialist(np.random.default_rng(2), 1000), 1, 2.0)
    made = calibrate(known, Wish(share), made_at=AT)
    calibration = Calibration.from_json(made.to_json())
    cases = made_cases(3)
    logs = await Serving(calibrated_rule(made), After("diff", 0.0), calibration=made).log(cases)
    assert {model.temperature for model in made.models.values()} != {1.0}
    assert again(logs, cases, calibration).differences == ()
    with pytest.raises(ConfigError, match="--calibration"):
        again(logs, cases)


async def test_another_calibration_under_its_name_is_noticed() -> None:
    made = calibrate(planted.shifted(np.random.default_rng(2), 1000), Wish(0.2), made_at=AT)
    cases = made_cases(3)
    logs = await Serving(calibrated_rule(made), calibration=made).log(cases)
    models = {name: replace(model, temperature=1.3) for name, model in made.models.items()}
    served = {"planted": LabelSet(cases.labels)}
    found = replay(logs, served, KnownVersions({made.version: replace(made, models=models)}))
    assert found.differences


def nudged(log: BallotLog) -> BallotLog:
    """The vectors of the first two voters turned round."""
    vectors = tuple(row and row[::-1] for row in log.ballot.vectors)
    return replace(log, ballot=replace(log.ballot, vectors=vectors))


TAMPERED: dict[str, Callable[[BallotLog], BallotLog]] = {
    "label": lambda log: replace(log, label="label 0" if log.label != "label 0" else "label 1"),
    "confidence": lambda log: replace(log, confidence=(log.confidence or 0.5) + 0.00001),
    "candidate": lambda log: replace(log, candidate=None),
    "deferral": lambda log: replace(log, deferred="outage"),
    "deferred, though accepted": lambda log: replace(
        log, label=None, confidence=None, source=None, deferred="disagreement"
    ),
    "a fallback by no cause": lambda log: replace(log, source="fallback", deferred="outage"),
    "a fallback of an accepted label": lambda log: replace(
        log, source="fallback", deferred="budget"
    ),
    "ballot": nudged,
    "rule": lambda log: replace(log, rule=replace(log.rule, kind="unanimity", quorum=3)),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED.keys())
async def test_a_changed_ballot_is_noticed(change: Callable[[BallotLog], BallotLog]) -> None:
    cases = made_cases()
    logs = await Serving().log(cases)
    place = next(
        at
        for at, log in enumerate(logs)
        if isinstance(log, BallotLog)
        and log.label is not None
        and len({vote.label for vote in log.ballot.votes}) == 2
    )
    logs[place] = change(logs[place])
    found = again(logs, cases)
    assert {each.decision_id for each in found.differences} == {logs[place].decision_id}


@pytest.mark.parametrize(
    "change", [{"published": "label 0"}, {"source": "workers"}, {"vector": (1.0, *[0.0] * 5)}]
)
async def test_a_changed_verdict_is_noticed(change: dict[str, Any]) -> None:
    cases = made_cases()
    logs = await Serving().log(cases)
    place = next(
        at
        for at, log in enumerate(logs)
        if isinstance(log, VerdictLog) and log.published not in (None, "label 0")
    )
    logs[place] = replace(logs[place], **change)
    (found,) = again(logs, cases).differences
    assert (found.kind, found.decision_id) == ("verdict", logs[place].decision_id)


async def test_what_cannot_be_decided_again_is_counted() -> None:
    cases = made_cases(count=200)
    logs = await Serving().log(cases)
    answer = AnswerLog("id", "t", "planted", "x", AT, "label 0", "me", gold=True)
    foreign = replace(logs[0], task="other")
    old = replace(logs[0], label_set="another")
    found = again([*logs, answer, foreign, old], cases)
    assert found.differences == ()
    assert found.skipped["of a task or label set that is not configured"] == 2
    audits = sum(isinstance(log, VerdictLog) and log.published is None for log in logs)
    assert found.skipped["verdicts of which no label was published"] == audits > 0


async def test_a_verdict_on_a_ballot_that_was_not_logged_is_counted() -> None:
    """As of a task that waits for another's label: its ballot travels with the request."""
    cases = made_cases(count=200)
    logs = await Serving(after=After("diff", -0.1)).log(cases)
    verdicts: list[Log] = [log for log in logs if isinstance(log, VerdictLog)]
    found = again(verdicts, cases)
    assert (found.verdicts, found.differences) == (0, ())
    assert found.skipped["verdicts by a rule on ballots that are not in the log"] > 0
    plain = await Serving().log(cases)
    assert again([log for log in plain if isinstance(log, VerdictLog)], cases).verdicts > 0
