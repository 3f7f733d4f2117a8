"""Who is asked when: the third worker last, and only where its one vote can still decide."""

from collections.abc import Iterator, Sequence

import numpy as np

from streamer.decide.decision import Decision
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.vote_result import Mask, Rows
from streamer.decide.votes import VoteRule


def asked_first(rule: DeferralRule) -> int:
    """How many of the rule's workers, from the first on, are asked at once.

    All of them but where votes alone decide. With a confidence threshold the third counts even
    where two agree, or the decision would depend on the order in which workers are configured.
    """
    votes_alone = isinstance(rule, VoteRule) and rule.measure is None
    return min(2, rule.of) if votes_alone else rule.of


def third_asked(rule: DeferralRule, worker_predictions: Sequence[Predictions]) -> Mask:
    """[N], by what those say who are asked first: where the third worker is asked as well.

    That is where its vote alone is missing to the quorum; nowhere, if all are asked at once.
    """
    first = worker_predictions[0].label_ids
    if asked_first(rule) == rule.of:
        return np.zeros(len(first), np.bool_)
    alike = first == worker_predictions[1].label_ids
    # To make two it joins either of those that differ; to make three, both that agree.
    missing = ~alike if rule.quorum == 2 else alike & (first != ABSTAINED)
    return np.asarray(missing)


def as_asked(
    rule: DeferralRule, worker_predictions: Sequence[Predictions]
) -> Iterator[tuple[Rows, Sequence[Predictions]]]:
    """What all of the rule's workers say of N tickets, as far as they have a say when served: some
    rows, and the predictions on these of who is asked about them. Every row comes once.
    """
    first, third = worker_predictions[: asked_first(rule)], third_asked(rule, worker_predictions)
    for asked, marks in ((first, ~third), (worker_predictions, third)):
        if marks.all():
            yield np.arange(len(marks)), asked
        elif marks.any():
            rows = np.flatnonzero(marks)
            yield rows, [predictions[rows] for predictions in asked]


def decide_as_asked(rule: DeferralRule, worker_predictions: Sequence[Predictions]) -> Decision:
    """What the rule decides on N tickets with the votes that it has when served."""
    decided = Decision.none(len(worker_predictions[0].label_ids))
    for rows, predictions in as_asked(rule, worker_predictions):
        decision = rule.decide(predictions)
        decided.label_ids[rows] = decision.label_ids
        decided.confidence[rows] = decision.confidence
    return decided
