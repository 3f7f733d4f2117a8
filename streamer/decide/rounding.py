"""Probabilities as they are published and logged, and as they are decided on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

DECIMALS = 5


def rounded(values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The same numbers with 5 decimals, in float64."""
    return np.asarray(np.round(values.astype(np.float64), DECIMALS))
