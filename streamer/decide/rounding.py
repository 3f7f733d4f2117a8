"""Probabilities as they are published and logged, and as they are decided on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

DECIMALS = 5


def at_least(
    values: NDArray[np.floating[Any]], threshold: float | NDArray[np.floating[Any]]
) -> NDArray[np.bool_]:
    """Where the values, as they are published, reach the threshold; never for NaN.

    A float32 that reads 0.9 lies above or below the 0.9 of a configuration: bare comparison would
    decide equality by chance. A threshold has a decimal more, since a calibration puts its own
    half-way between two values.
    """
    return np.asarray(rounded(values) >= np.round(threshold, DECIMALS + 1))


def rounded(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The same numbers with 5 decimals, in float64."""
    return np.asarray(np.round(values.astype(np.float64), DECIMALS))
