"""The rule before the judge and the one after it, chosen together and proven together."""

from dataclasses import replace
from math import ceil, log, log1p

import numpy as np

from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.predictions import ABSTAINED
from streamer.learn.calibrate.arbitrated import Arbitrated, arbitrated
from streamer.learn.calibrate.calibrate import Targets, calibrate, halves
from streamer.learn.calibrate.targets import Accuracy, Margin
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.measures.non_inferiority import METHOD, OUTSIDE, PairedCounts
from streamer.records.calibration import Calibration, Lead, ProvenAfter
from streamer.records.label import JUDGE_STANDS, After

CHAIN = (
    *(After("pool", alpha / 10) for alpha in range(2, 8)),
    *(After("pool_linear", alpha / 10) for alpha in (2, 4, 6)),
    *(After("diff", alpha / 10) for alpha in (-4, -2, 0)),
    *(After("opt", alpha / 10) for alpha in (-4, -2, 0)),
)
"""The order of the tests, the same for every log: from the judge's own label away. At .1 hardly a
label changes, so that it fails by luck where the next ones would not. (We choose.)
"""


def calibrate_both(
    dataset: Dataset,
    targets: Targets,
    margin: Margin,
    *,
    made_at: str,
    period: tuple[str | None, str | None] = (None, None),
) -> Calibration:
    """As `calibrate`, with the rule after the judge that `margin` allows.

    Where an accuracy is promised, that rule is chosen and proven on the half that chooses alone:
    the other half must not have seen it.
    """
    judged = dataset[np.flatnonzero(dataset.judge.label_ids != ABSTAINED)]
    chosen = proven_after(
        halves(judged)[0] if isinstance(targets, Accuracy) else judged, targets, margin
    )
    after = arbitration_rule(chosen.rule.kind, chosen.rule.alpha)
    made = calibrate(dataset, targets, made_at=made_at, after=after, period=period)
    return replace(made, after=chosen)


def proven_after(dataset: Dataset, targets: Targets, margin: Margin) -> ProvenAfter:
    """Of judged `dataset`: the best rule of the chain among those that are proven.

    Rules are tested in the chain's order until one fails, so that the chance of any false proof is
    that of one test (fixed-sequence testing), whichever of the proven ones is taken then. Where
    none is proven, or none leads, the judge's own label stands.
    """
    if not (dataset.gold != UNKNOWN).any():
        return _described(JUDGE_STANDS, PairedCounts(0, 0, 0), None, margin)
    return proven_of(arbitrated(dataset, CHAIN, targets), CHAIN, margin)


def proven_of(tickets: Arbitrated, chain: tuple[After, ...], margin: Margin) -> ProvenAfter:
    """The same, of rules that were tried already."""
    count = tickets.proven(margin)
    if not count:
        return _described(JUDGE_STANDS, tickets.counts(0), None, margin)
    best = tickets.best(count, margin.confidence)
    gain = tickets.gain(count, margin.confidence)
    tested = tickets.counts(best)
    rule = chain[best] if tested.lead > 0 else JUDGE_STANDS
    return _described(rule, tested, gain, margin)


def tickets_for_proof(margin: Margin) -> int:
    """With fewer known truths nothing is proven, even where two never differ."""
    return ceil(log(1 - margin.confidence - OUTSIDE) / log1p(-margin.share))


def _described(
    rule: After, tested: PairedCounts, gain: PairedCounts | None, margin: Margin
) -> ProvenAfter:
    return ProvenAfter(
        rule=rule,
        method=METHOD,
        margin=margin.share,
        confidence=margin.confidence,
        holds=gain is not None,
        rows=tested.of,
        gained=tested.gained,
        lost=tested.lost,
        bound=tested.bound(margin.confidence),
        lead=None if gain is None else _lead(gain, margin.confidence),
    )


def _lead(gain: PairedCounts, confidence: float) -> Lead:
    found = gain.interval
    return Lead(found.value, found.low, found.high, gain.tickets_for_superiority(confidence))
