"""What becomes of a ticket, held to a reading of every case there is, one ticket at a time."""

import itertools
from typing import NamedTuple, get_args

import numpy as np
import pytest

from streamer.decide.candidate import Candidate
from streamer.decide.decision import Decision
from streamer.decide.disposition import Disposition, calls_within, dispose
from streamer.decide.predictions import ABSTAINED
from streamer.decide.sampling import Sample
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.vote_result import OutagePolicy
from streamer.records.log import Mode

ACCEPTED, LIKELIEST = 1, 2
POLICIES = [
    ServingPolicy(*each) for each in itertools.product(get_args(Mode), get_args(OutagePolicy))
]


class Case(NamedTuple):
    """A ticket: whether the rule accepted it, whether any worker answered, and what is drawn."""

    accepted: bool
    answered: bool
    allowed: bool
    uniform: bool
    verify: bool

    @property
    def label(self) -> int:
        """The candidate: whoever was accepted has one."""
        return ACCEPTED if self.accepted else LIKELIEST if self.answered else ABSTAINED


CASES = [Case(*marks) for marks in itertools.product([False, True], repeat=5)]


class Becomes(NamedTuple):
    """What a ticket's label is now, whose, why it is not the rule's, and the judge's part."""

    label: int
    source: str | None
    why: str | None
    purpose: str | None


def expected(case: Case, policy: ServingPolicy, outage: bool, asked: bool, capped: bool) -> Becomes:
    label, source, why = ABSTAINED, None, None
    if case.accepted:
        label, source = ACCEPTED, "workers"
    elif outage and policy.on_outage == "fallback":
        if case.answered:
            label, source, why = LIKELIEST, "fallback", "outage"
    elif policy.mode == "optimistic":
        if case.answered:
            label, source = LIKELIEST, "workers"
    elif capped and not case.allowed and case.answered:
        label, source, why = LIKELIEST, "fallback", "budget"
    if label == ABSTAINED:
        why = "outage" if outage else "disagreement" if asked else "judge_first"
        return Becomes(label, None, why, "decide")
    if policy.mode == "optimistic" and case.verify:
        return Becomes(label, source, why, "verify")
    return Becomes(label, source, why, "audit" if case.uniform else None)


def disposed(
    cases: list[Case], policy: ServingPolicy, outage: bool, asked: bool, capped: bool
) -> Disposition:
    column = {name: np.array([getattr(case, name) for case in cases]) for name in Case._fields}
    nothing, candidates = np.zeros(len(cases), np.bool_), np.array([case.label for case in cases])
    accepted = np.where(column["accepted"], ACCEPTED, ABSTAINED)
    decision = Decision(accepted, np.where(column["accepted"], 0.8, np.nan))
    confidence = np.where(column["accepted"], 0.8, np.where(candidates >= 0, 0.3, np.nan))
    return dispose(
        decision,
        Candidate(candidates, confidence, None),
        policy,
        Sample(column["uniform"], column["verify"], nothing, nothing),
        asked=asked,
        outage=outage,
        allowed=column["allowed"] if capped else None,
    )


@pytest.mark.parametrize("policy", POLICIES, ids=str)
@pytest.mark.parametrize(("outage", "asked"), [(False, True), (True, True), (False, False)])
@pytest.mark.parametrize("capped", [False, True])
def test_every_case_becomes_what_it_should(
    policy: ServingPolicy, outage: bool, asked: bool, capped: bool
) -> None:
    # In an outage no rule accepts anything, and whom nobody was asked about has no answer.
    cases = [
        case
        for case in CASES
        if not (case.accepted and (outage or not asked)) and (asked or not case.answered)
    ]
    disposition = disposed(cases, policy, outage, asked, capped)
    purposes = {name: getattr(disposition, name) for name in ("decide", "verify", "audit")}
    for row, case in enumerate(cases):
        becomes = expected(case, policy, outage, asked, capped)
        marked = [purpose for purpose, marks in purposes.items() if marks[row]]
        assert marked == ([becomes.purpose] if becomes.purpose else [])
        assert disposition.published.label_ids[row] == becomes.label
        assert disposition.source(row) == becomes.source
        assert disposition.why(row) == becomes.why
        assert disposition.fallback[row] == (becomes.source == "fallback")
        if becomes.label != ABSTAINED:
            known = disposition.published.confidence[row]
            assert known == (0.8 if case.accepted else 0.3)
            assert disposition.final[row] == (becomes.purpose != "verify")


@pytest.mark.parametrize("policy", POLICIES, ids=str)
@pytest.mark.parametrize("outage", [False, True])
def test_the_published_labels_come_once_grouped_by_how(policy: ServingPolicy, outage: bool) -> None:
    cases = [case for case in CASES if not (outage and case.accepted)]
    disposition, rows = disposed(cases, policy, outage, True, True), []
    groups = list(disposition.groups())
    assert len({(group.source, group.final) for group in groups}) == len(groups)
    for group in groups:
        rows += group.rows.tolist()
        assert len(group.rows)
        for row in group.rows.tolist():
            assert disposition.source(row) == group.source
            assert disposition.final[row] == group.final
    assert sorted(rows) == np.flatnonzero(~disposition.decide).tolist()


def test_workers_were_asked_and_are_there_unless_it_is_said_otherwise() -> None:
    candidate = Candidate(np.array([LIKELIEST]), np.array([0.3]), None)
    for policy in (policy for policy in POLICIES if not policy.publishes_first):
        disposition = dispose(Decision.none(1), candidate, policy, Sample.none(1))
        assert (disposition.source(0), disposition.why(0)) == (None, "disagreement")


def test_any_part_of_a_batch_becomes_what_it_becomes_in_the_whole() -> None:
    for policy in POLICIES:
        whole = disposed(CASES, policy, False, True, True)
        for row in range(len(CASES)):
            part = disposed([CASES[row]], policy, False, True, True)
            assert part.published.label_ids[0] == whole.published.label_ids[row]
            assert (part.source(0), part.why(0)) == (whole.source(row), whole.why(row))
            assert part.verify[0] == whole.verify[row]
            assert part.audit[0] == whole.audit[row]


@pytest.mark.parametrize("tickets", range(5))
def test_the_last_calls_are_refused_and_none_without_a_label_to_stand_in(tickets: int) -> None:
    kinds = ["accepted", "doubted", "silent"]
    for told in itertools.product(kinds, repeat=tickets):
        decision = Decision.none(tickets)
        decision.label_ids[:] = [ACCEPTED if kind == "accepted" else ABSTAINED for kind in told]
        label_ids = np.array([ABSTAINED if kind == "silent" else ACCEPTED for kind in told], int)
        candidate = Candidate(label_ids, np.zeros(tickets), None)
        for count in range(tickets + 1):
            left, goes = count - told.count("silent"), []
            for kind in told:
                goes.append(kind != "doubted" or left > 0)
                left -= kind == "doubted"
            assert calls_within(count, decision, candidate).tolist() == goes
