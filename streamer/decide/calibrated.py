"""From a calibration, or a record, to the rule that it names."""

from collections.abc import Sequence
from typing import get_args

from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.router import Router
from streamer.decide.votes import Kind, Measure, VoteRule
from streamer.records.calibration import Calibration, RouterWeights
from streamer.records.label import Rule

_ABOVE_ALL = 2.0
_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
_MEASURES: dict[str | None, Measure | None] = {None: None, **{m: m for m in get_args(Measure)}}


def calibrated_rule(calibration: Calibration) -> DeferralRule:
    """The rule before the judge, for tempered predictions of `calibration.models` in their order.

    Raises `ValueError` for a rule that this version does not know, or that is not whole.
    """
    workers = tuple(calibration.models)
    if calibration.rule.kind == "judge":
        return judge_all(len(workers))
    return recorded_rule(calibration.rule, workers, calibration.router)


def judge_all(workers: int) -> DeferralRule:
    """A rule of so many workers that accepts nothing: all are asked, and the judge decides."""
    return VoteRule("unanimity", workers, "mean", _ABOVE_ALL)


def recorded_rule(
    rule: Rule, workers: Sequence[str], router: RouterWeights | None = None
) -> DeferralRule:
    """The rule that a record describes, for tempered predictions of these workers in their order.

    Raises `ValueError` as `calibrated_rule`.
    """
    if rule.kind in _KINDS and rule.measure in _MEASURES:
        kind, measure = _KINDS[rule.kind], _MEASURES[rule.measure]
        return VoteRule(kind, rule.of, measure, rule.at_least or 0.0)
    if rule.kind == "chow" and rule.alpha is not None:
        index = None if rule.worker is None else workers.index(rule.worker)
        return Chow(rule.alpha, rule.of, index)
    if rule.kind == "router" and rule.at_least is not None and router is not None:
        return Router(router, 1 - rule.at_least)
    raise ValueError(f"no rule can be made of {rule}: calibrate again with this version")
