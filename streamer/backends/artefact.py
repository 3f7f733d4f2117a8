"""A trained worker's file: named arrays of numbers, read without running anything from it."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.errors import ModelError, in_words

MODEL_FILE = "model.npz"

Arrays = dict[str, npt.NDArray[Any]]


def save_arrays(folder: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """The same arrays give the same bytes."""
    np.savez(folder / MODEL_FILE, **arrays)


def load_arrays(folder: Path, names: tuple[str, ...]) -> Arrays:
    """Read exactly these arrays; raises ModelError for anything else that a file may hold."""
    path = folder / MODEL_FILE
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no .npz file")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in names}
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("it holds numbers that aren't finite")
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"can't load {path}: {in_words(error)}; train this worker again"
        ) from error
    return arrays
