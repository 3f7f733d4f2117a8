"""A worker with an expert for some kinds of tickets, and one model for all others.

<version>/experts.json        how sure the gate must be, and which segments have an expert
<version>/gate/model.npz      the linear classifier over words that names a ticket's segment
<version>/general/model.npz   answers where the gate is unsure, or the segment has no expert
<version>/expert-<n>/model.npz   the expert of the segment at place n
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from streamer.backends import ngrams
from streamer.backends.features import Floats
from streamer.backends.linear import LinearModel
from streamer.backends.model import Model
from streamer.errors import ModelError

FILE = "experts.json"

_GATE = "gate"
_GENERAL = "general"

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Gate:
    """Names the segment of a text by its words, where it is at least `at_least` sure."""

    model: LinearModel
    at_least: float

    def places(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """[N]: the place of each text's segment, -1 where the gate is unsure."""
        found = self.model.probabilities(texts)
        return np.where(found.max(axis=1) >= self.at_least, found.argmax(axis=1), -1)


@dataclass(frozen=True, slots=True)
class Experts:
    """`experts` by the places of their segments; all models know the same labels."""

    gate: Gate
    general: Model
    experts: Mapping[int, Model]

    @property
    def size(self) -> int:
        return self.general.size

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """[N, K], rows sum to 1: each from the expert of its segment."""
        places = self.gate.places(texts)
        answers = np.empty((len(texts), self.size), np.float32)
        named = np.where(np.isin(places, list(self.experts)), places, -1)
        for place in np.unique(named).tolist():
            rows = np.flatnonzero(named == place)
            model = self.experts.get(place, self.general)
            answers[rows] = model.probabilities([texts[row] for row in rows])
        return answers

    def save(self, folder: Path) -> None:
        """Write the files that are listed above."""
        said = {"at_least": self.gate.at_least, "experts": sorted(self.experts)}
        (folder / FILE).write_text(json.dumps(said), encoding="utf-8")
        models: dict[str, Any] = {_GATE: self.gate.model, _GENERAL: self.general}
        models |= {_name(place): model for place, model in self.experts.items()}
        for name, model in models.items():
            (folder / name).mkdir()
            model.save(folder / name)

    @classmethod
    def load(cls, folder: Path, load: Callable[[Path], M]) -> "Experts":
        """`load` reads one model of the kind. Raises ModelError where a file is missing, damaged,
        or doesn't fit the others.
        """
        at_least, places = _read(folder / FILE)
        gate = LinearModel.load(folder / _GATE, ngrams.words)
        general = load(folder / _GENERAL)
        experts = {place: load(folder / _name(place)) for place in places}
        sizes = {model.size for model in (general, *experts.values())}
        if len(sizes) > 1 or any(place >= gate.size for place in places):
            raise ModelError(f"{folder}: its parts don't fit each other; align this worker again")
        return cls(Gate(gate, at_least), general, experts)


def load_either(folder: Path, load: Callable[[Path], M]) -> M | Experts:
    """A version as it was written: one model of the kind, or experts below it."""
    if (folder / FILE).exists() or (folder / _GATE).exists():
        return Experts.load(folder, load)
    return load(folder)


def _name(place: int) -> str:
    return f"expert-{place}"


def _read(path: Path) -> tuple[float, list[int]]:
    try:
        raw = json.loads(path.read_bytes())
        at_least, places = float(raw["at_least"]), list(raw["experts"])
        if not math.isfinite(at_least) or not all(type(p) is int and p >= 0 for p in places):
            raise ValueError("a number is out of its range")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"can't load {path}: {error}; align this worker again") from error
    return at_least, places
