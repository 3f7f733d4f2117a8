"""Tempered probabilities: softened or sharpened, and rounded before anything is decided."""

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import ABSTAINED, Predictions, Probabilities
from streamer.decide.rounding import DECIMALS

_LEAST = np.float32(1e-30)
_STEEPEST = 1e30
"""The largest exponent: infinity times log 1 is no number."""

_DEEPEST = np.float32(-60)
"""A float32 holds exp of this, and its reciprocal, with room for a row's sum."""


Temperature = float | NDArray[np.float64]


def tempered(predictions: Predictions, temperature: Temperature) -> Predictions:
    """The predictions with probabilities p^(1/T), renormalised and rounded to 5 decimals.

    The temperature T is one for all, or one for each ticket [N].

    Temperature scaling after Guo et al. 2017 (arXiv 1706.04599), on probabilities instead of
    logits. Rounding comes before deciding, so that the rounded vectors of a log decide alike bit
    for bit; labels closer than that are ties, and go to the one that comes first. A row of an
    abstention becomes all zero. Those without probabilities stay as they are.
    """
    if predictions.probabilities is None:
        return predictions
    voted = predictions.label_ids != ABSTAINED
    if np.count_nonzero(voted) == len(voted):
        rounded = _rounded(_powers(predictions.probabilities, temperature))
        return Predictions(rounded.argmax(axis=1), rounded)
    rounded = np.zeros_like(predictions.probabilities)
    of_voted = temperature if isinstance(temperature, float | int) else temperature[voted]
    rounded[voted] = _rounded(_powers(predictions.probabilities[voted], of_voted))
    return Predictions(np.where(voted, rounded.argmax(axis=1), ABSTAINED), rounded)


def _powers(raw: Probabilities, temperature: Temperature) -> Probabilities:
    """p^(1/T) in float32: the last bit may differ between machines, and rounding hides it."""
    if isinstance(temperature, float | int):
        steep = min(1 / temperature, _STEEPEST)
        return raw if temperature == 1 else _raised(raw, np.float32(steep))
    powers = _raised(raw, np.minimum(1 / temperature, _STEEPEST).astype(np.float32)[:, None])
    return np.where((temperature == 1)[:, None], raw, powers)


def _raised(raw: Probabilities, exponent: np.float32 | Probabilities) -> Probabilities:
    powers: Probabilities = np.maximum(raw, _LEAST)
    np.log(powers, out=powers)
    powers *= exponent
    # The likeliest of K has 1/K at least, so only a cold temperature takes a whole row to zero.
    if np.max(exponent, initial=0) * np.log(raw.shape[1]) > -_DEEPEST:
        most = powers.max(axis=1, keepdims=True)
        powers -= np.where(most < _DEEPEST, most, np.float32(0))
    np.exp(powers, out=powers)
    return powers


def _rounded(weights: Probabilities) -> Probabilities:
    scale = np.float32(10**DECIMALS)
    shares: Probabilities = weights * (scale / weights.sum(axis=1, keepdims=True))
    # The quotient of two whole numbers is the float32 nearest to the decimal, as JSON reads it.
    np.rint(shares, out=shares)
    shares /= scale
    return shares
