"""Choosing a task's rule from the log: by a judge budget, or by a promise that can be kept."""

from dataclasses import replace
from hashlib import blake2b
from itertools import combinations

import numpy as np

from streamer.decide.arbitration_rules import ArbitrationRule
from streamer.decide.calibrated import judge_all
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.router import Router
from streamer.decide.temperature import tempered
from streamer.errors import ConfigError
from streamer.learn.calibrate.choosing import best_order, proven, within_budget
from streamer.learn.calibrate.router import cross_fitted, train_router
from streamer.learn.calibrate.targets import Accuracy, Fidelity, JudgeShareTarget
from streamer.learn.calibrate.temperature import fit_temperature
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.served import JudgePolicy
from streamer.learn.measures.shares import Share, share
from streamer.learn.measures.threshold_families import Sweep, ThresholdFamily, threshold_families
from streamer.records.calibration import Calibration, Data, Estimate, Model, Reference
from streamer.records.label import Rule
from streamer.records.labelset import LabelSet

LEAST_ROWS = 50
_ENOUGH_GOLD = 200
_LEAST_ANSWERED = 20

Targets = JudgeShareTarget | Fidelity | Accuracy
Temperatures = tuple[float, ...]


def calibrate(
    dataset: Dataset,
    targets: Targets,
    *,
    made_at: str,
    after: ArbitrationRule | None = None,
    period: tuple[str | None, str | None] = (None, None),
) -> Calibration:
    """The setting with the least judge rate that keeps the wish, over every family of rules.

    `dataset` must be of the uniform stratum alone. A hash of the ticket's id cuts them in two. The
    one half fits temperatures and router, and chooses the family, its settings and their order;
    the other half tests them in that order, so that the tests know nothing of the choice. Nothing
    is fitted again afterwards, or the promise would be of another rule. A judge budget promises
    nothing, and takes its threshold from all tickets.

    Labels count as they are published: where the judge is asked, `after` says whose label stands
    (default: the judge's). `period` has the times of the first and last ticket. Raises ConfigError
    for too few tickets, or for a wish of accuracy without gold answers. A wish out of reach ends in
    "judge all".
    """
    judged = dataset[np.flatnonzero(dataset.judge.label_ids != ABSTAINED)]
    _check(judged, targets)
    design, proof = halves(judged)
    temperatures = _temperatures(design)
    judge = Model(dataset.versions.get("judge"), _judge_temperature(design))
    judge_policy = JudgePolicy(after, judge.temperature)
    design, proof, whole = (_tempered(part, temperatures) for part in (design, proof, judged))
    candidates, guarantee = _candidates(design), None
    if isinstance(targets, JudgeShareTarget):
        swept = [(family, family.sweep(whole.worker_predictions)) for family, _ in candidates]
        chosen, shown = within_budget(swept, whole, targets.share), whole
    else:
        chosen, guarantee = proven(
            best_order(candidates, design, targets, judge_policy), proof, targets, judge_policy
        )
        shown = proof
    rule = chosen or judge_all(len(dataset.workers))
    judge_rate, fidelity, accuracy = _expected(rule, shown, judge_policy)
    return Calibration(
        task=dataset.task,
        label_set=LabelSet(dataset.labels).version,
        made_at=made_at,
        data=_data(judged, period),
        models=_models(dataset, temperatures),
        judge=judge,
        rule=_described(chosen, dataset.workers),
        router=chosen.weights if isinstance(chosen, Router) else None,
        wish=targets.recorded,
        guarantee=guarantee,
        judge_rate=judge_rate,
        fidelity=fidelity,
        accuracy=accuracy,
        reference=_reference(rule, whole, judge_policy),
    )


def _check(dataset: Dataset, targets: Targets) -> None:
    if len(dataset) < LEAST_ROWS:
        raise ConfigError(
            f"task {dataset.task}: {len(dataset)} tickets with the judge's label are too few to"
            f" calibrate: wait for {LEAST_ROWS} from the audit share, or raise it"
        )
    if isinstance(targets, Accuracy) and not (dataset.gold != UNKNOWN).any():
        raise ConfigError(
            f"task {dataset.task}: an accuracy can't be promised without gold answers: have people"
            " label the gold sample, or wish for a fidelity"
        )


def halves(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """The half that chooses and the half that proves.

    By a hash of the id with a salt of its own, so that it is independent of the audit share.
    """
    first = np.array([blake2b(f"halves\0{name}".encode()).digest()[0] & 1 for name in dataset.ids])
    return dataset[np.flatnonzero(first == 0)], dataset[np.flatnonzero(first == 1)]


def _temperatures(dataset: Dataset) -> Temperatures:
    """Of the workers: against the truth where enough of it is known, else the judge's labels."""
    enough = (dataset.gold != UNKNOWN).sum() >= _ENOUGH_GOLD
    truth = dataset.gold if enough else dataset.judge.label_ids
    return tuple(_fitted(predictions, truth) for predictions in dataset.worker_predictions)


def _judge_temperature(dataset: Dataset) -> float:
    """1 unless enough of the truth is known: nothing else could tell."""
    enough = (dataset.gold != UNKNOWN).sum() >= _ENOUGH_GOLD
    return _fitted(dataset.judge, dataset.gold) if enough else 1.0


def _models(dataset: Dataset, temperatures: Temperatures) -> dict[str, Model]:
    pairs = zip(dataset.workers, temperatures, strict=True)
    return {name: Model(dataset.versions.get(name), t) for name, t in pairs}


def _fitted(predictions: Predictions, truth: Labels) -> float:
    return round(fit_temperature(predictions, truth).temperature, 4)


def _tempered(dataset: Dataset, temperatures: Temperatures) -> Dataset:
    pairs = zip(dataset.worker_predictions, temperatures, strict=True)
    return replace(
        dataset, worker_predictions=tuple(tempered(predictions, t) for predictions, t in pairs)
    )


def _candidates(design: Dataset) -> list[tuple[ThresholdFamily, Sweep]]:
    """Every family with its settings on the design half, the router's by routers of other folds.

    Plain votes alone where a worker gives no probabilities, or has hardly ever answered.
    """
    answered = np.all(
        [predictions.label_ids != ABSTAINED for predictions in design.worker_predictions], axis=0
    )
    bare = any(predictions.probabilities is None for predictions in design.worker_predictions)
    if bare or answered.sum() < _LEAST_ANSWERED:
        return [
            (family, family.sweep(design.worker_predictions))
            for family in threshold_families(len(design.workers), None)
        ]
    judge = design.judge.label_ids
    *others, router = threshold_families(
        len(design.workers), train_router(design.worker_predictions, judge)
    )
    unseen = Sweep.of(cross_fitted(design.worker_predictions, judge))
    return [
        *((family, family.sweep(design.worker_predictions)) for family in others),
        (router, unseen),
    ]


def _described(rule: DeferralRule | None, workers: tuple[str, ...]) -> Rule:
    return Rule("judge", len(workers), len(workers)) if rule is None else rule.described(workers)


def _reference(rule: DeferralRule, dataset: Dataset, judge_policy: JudgePolicy) -> Reference:
    final = judge_policy.published(dataset, rule)
    counts = np.bincount(final, minlength=len(dataset.labels)) / len(dataset)
    agreement = {}
    by_worker = zip(dataset.workers, dataset.worker_predictions, strict=True)
    for (worker, first), (other, second) in combinations(by_worker, 2):
        both = (first.label_ids != ABSTAINED) & (second.label_ids != ABSTAINED)
        if both.any():
            same = (first.label_ids == second.label_ids)[both]
            agreement[f"{worker}/{other}"] = round(float(same.mean()), 6)
    shares = zip(dataset.labels, counts.tolist(), strict=True)
    return Reference({label: round(share, 6) for label, share in shares}, agreement)


def _expected(
    rule: DeferralRule, dataset: Dataset, judge_policy: JudgePolicy
) -> tuple[Estimate, Estimate, Estimate]:
    """Judge rate, fidelity and accuracy."""
    accepted = rule.decide(dataset.worker_predictions).label_ids
    bypassed, has_truth = accepted != ABSTAINED, dataset.gold != UNKNOWN
    final = judge_policy.published(dataset, rule)
    return (
        _estimate(share(~bypassed)),
        _estimate(share((accepted == dataset.judge.label_ids)[bypassed])),
        _estimate(share((final == dataset.gold)[has_truth])),
    )


def _estimate(observed: Share) -> Estimate:
    value = observed.value if observed.of else None
    return Estimate(value, *observed.interval, observed.of)


def _data(dataset: Dataset, period: tuple[str | None, str | None]) -> Data:
    content = blake2b(
        "\0".join((dataset.task, *dataset.labels, *dataset.ids)).encode(), digest_size=16
    )
    for predictions in (*dataset.worker_predictions, dataset.judge):
        content.update(predictions.label_ids.tobytes())
        if predictions.probabilities is not None:
            content.update(np.ascontiguousarray(predictions.probabilities).tobytes())
    content.update(dataset.gold.tobytes())
    gold = int((dataset.gold != UNKNOWN).sum())
    return Data(content.hexdigest(), len(dataset), gold, *period)
