"""Tempered probabilities: softened or sharpened, and rounded before anything is decided."""

import numpy as np

from streamer.decide.opinion import ABSTAINED, Opinion, Probabilities
from streamer.decide.rounding import DECIMALS

_LEAST = np.float32(1e-30)


def tempered(opinion: Opinion, temperature: float) -> Opinion:
    """The opinion with probabilities p^(1/T), renormalised and rounded to 5 decimals.

    Temperature scaling after Guo et al. 2017 (arXiv 1706.04599), on probabilities instead of
    logits. Rounding comes before deciding, so that the rounded vectors of a log decide alike bit
    for bit; labels closer than that are ties, and go to the one that comes first. A row of an
    abstention becomes all zero. Opinions without probabilities stay as they are.
    """
    if opinion.probabilities is None:
        return opinion
    voted = opinion.codes != ABSTAINED
    if np.count_nonzero(voted) == len(voted):
        rounded = _rounded(_powers(opinion.probabilities, temperature))
        return Opinion(rounded.argmax(axis=1), rounded)
    rounded = np.zeros_like(opinion.probabilities)
    rounded[voted] = _rounded(_powers(opinion.probabilities[voted], temperature))
    return Opinion(np.where(voted, rounded.argmax(axis=1), ABSTAINED), rounded)


def _powers(raw: Probabilities, temperature: float) -> Probabilities:
    """p^(1/T) in float32: the last bit may differ between machines, and rounding hides it."""
    if temperature == 1:
        return raw
    powers: Probabilities = np.maximum(raw, _LEAST)
    np.log(powers, out=powers)
    powers *= np.float32(1 / temperature)
    np.exp(powers, out=powers)
    return powers


def _rounded(weights: Probabilities) -> Probabilities:
    scale = np.float32(10**DECIMALS)
    shares: Probabilities = weights * (scale / weights.sum(axis=1, keepdims=True))
    # The quotient of two whole numbers is the float32 nearest to the decimal, as JSON reads it.
    np.rint(shares, out=shares)
    shares /= scale
    return shares
