"""How decisions were calculated, now and before, so that a log of before is told from a fault."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.decide.arbitration_rules import ArbitrationRule, Diff, Kept, Opt, TokenV3
from streamer.decide.chow import Chow
from streamer.decide.decision import Decision
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.distributions import Rows, checked_pair, greedy, total_variation
from streamer.decide.predictions import ABSTAINED, LabelIds, Predictions
from streamer.decide.router import Router
from streamer.decide.temperature import tempered
from streamer.decide.votes import VoteRule

SINCE = "30 November 2026"
_SCALE = np.float32(100_000)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What may be calculated in more than one way: a temperature, a rule before the judge, and a
    rule after it.
    """

    tempered: Callable[[Predictions, float], Predictions]
    decided: Callable[[DeferralRule, Sequence[Predictions]], Decision]
    after: Callable[[ArbitrationRule], ArbitrationRule]


def now() -> Reckoning:
    """As the services calculate."""
    return Reckoning(
        tempered, lambda rule, predictions: rule.decide(predictions), lambda rule: rule
    )


def formerly() -> Reckoning:
    """As they did before `SINCE`: powers that underflowed, thresholds compared as bare floats, and
    the mean's likeliest label vouching for whatever the majority had named.
    """
    return Reckoning(_tempered, _decided, _after)


def _tempered(predictions: Predictions, temperature: float) -> Predictions:
    raw = predictions.probabilities
    if raw is None or temperature == 1:
        return tempered(predictions, temperature)
    voted = predictions.label_ids != ABSTAINED
    with np.errstate(all="ignore"):
        powers = np.exp(np.log(np.maximum(raw, np.float32(1e-30))) * np.float32(1 / temperature))
        shares = np.rint(powers * (_SCALE / powers.sum(axis=1, keepdims=True))) / _SCALE
    shares = np.where(voted[:, None], shares, np.float32(0))
    return Predictions(np.where(voted, shares.argmax(axis=1), ABSTAINED), shares)


def _decided(rule: DeferralRule, worker_predictions: Sequence[Predictions]) -> Decision:
    if isinstance(rule, Router):
        decision = Router(rule.weights, 1.0).decide(worker_predictions)
        doubted = np.round(1 - decision.confidence, 5) > rule.at_most
    elif isinstance(rule, VoteRule | Chow):
        decision = rule.lenient().decide(
            [_whole(predictions, rule) for predictions in worker_predictions]
        )
        doubted = decision.confidence < rule.least
    else:
        return rule.decide(worker_predictions)
    return Decision(
        np.where(doubted, ABSTAINED, decision.label_ids),
        np.where(doubted, np.nan, decision.confidence),
    )


def _whole(predictions: Predictions, rule: VoteRule | Chow) -> Predictions:
    """Chow's rule ended the process where a row had underflowed: no log has such a ticket."""
    if predictions.probabilities is None or not isinstance(rule, Chow):
        return predictions
    return Predictions(predictions.label_ids, _finite(predictions.probabilities))


def _finite(rows: Rows) -> Rows:
    """Underflowed rows as all for the first label, which is what their argmax was."""
    first = np.eye(1, rows.shape[1], dtype=rows.dtype)
    return np.where(np.isfinite(rows).all(axis=1, keepdims=True), rows, first)


def _after(rule: ArbitrationRule) -> ArbitrationRule:
    if isinstance(rule, Diff):
        return _Diff(rule.alpha)
    if isinstance(rule, Opt):
        return _Opt(rule.alpha, rule.distance)
    return _TokenV3(rule.alpha) if isinstance(rule, TokenV3) else rule


class _Diff(Diff):
    def keeps(self, q: Rows, p: Rows, label_ids: LabelIds | None = None) -> Kept:
        q, p = checked_pair(q, _finite(p))
        return np.asarray(q.max(axis=1) >= p.max(axis=1) - self.alpha)


class _Opt(Opt):
    def keeps(self, q: Rows, p: Rows, label_ids: LabelIds | None = None) -> Kept:
        q, p = checked_pair(q, _finite(p))
        sides = (p, q) if self.distance == "soft" else (greedy(p), greedy(q))
        return np.asarray(q.max(axis=1) >= p.max(axis=1) - self.alpha * total_variation(*sides))


class _TokenV3(TokenV3):
    def keeps(self, q: Rows, p: Rows, label_ids: LabelIds | None = None) -> Kept:
        q, p = checked_pair(q, _finite(p))
        own = p[np.arange(len(p)), q.argmax(axis=1) if label_ids is None else label_ids]
        return np.asarray(own >= (1 - self.alpha) * p.max(axis=1))
