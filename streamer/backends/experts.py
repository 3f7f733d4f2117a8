"""A worker with an expert for some kinds of tickets, and one model for all others.

<version>/experts.json        the limits of the gate, and which segments have an expert
<version>/gate/model.npz      the linear classifier over words that names a ticket's segment
<version>/general/model.npz   answers where the gate is unsure, or the segment has no expert
<version>/expert-<n>/model.npz   the expert of segment id n
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from streamer.backends.features import Floats
from streamer.backends.gate import Gate
from streamer.backends.model import Model
from streamer.errors import ModelError, in_words

EXPERTS_FILE = "experts.json"

_GATE = "gate"
_GENERAL = "general"

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Experts:
    """`experts` by the ids of their segments; all models know the same labels."""

    gate: Gate
    general: Model
    experts: Mapping[int, Model]

    @property
    def size(self) -> int:
        return self.general.size

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """[N, K], rows sum to 1: each from the expert of its segment."""
        segment_ids = self.gate.names(texts).segment_ids
        answers = np.empty((len(texts), self.size), np.float32)
        named = np.where(np.isin(segment_ids, list(self.experts)), segment_ids, -1)
        for segment_id in np.unique(named).tolist():
            rows = np.flatnonzero(named == segment_id)
            model = self.experts.get(segment_id, self.general)
            answers[rows] = model.probabilities([texts[row] for row in rows])
        return answers

    def save(self, folder: Path) -> None:
        """Write the files that are listed above."""
        limits = {"at_least": self.gate.at_least, "least_known": self.gate.least_known}
        description = {**limits, "experts": sorted(self.experts)}
        (folder / EXPERTS_FILE).write_text(json.dumps(description), encoding="utf-8")
        models: dict[str, Any] = {_GATE: self.gate.model, _GENERAL: self.general}
        models |= {_name(segment_id): model for segment_id, model in self.experts.items()}
        for name, model in models.items():
            (folder / name).mkdir()
            model.save(folder / name)

    @classmethod
    def load(cls, folder: Path, load: Callable[[Path], M]) -> "Experts":
        """`load` reads one model of the kind. Raises ModelError where a file is missing, damaged,
        or doesn't fit the others.
        """
        limits, segment_ids = _read(folder / EXPERTS_FILE)
        gate = Gate.load(folder / _GATE, *limits)
        general = load(folder / _GENERAL)
        experts = {segment_id: load(folder / _name(segment_id)) for segment_id in segment_ids}
        sizes = {model.size for model in (general, *experts.values())}
        if len(sizes) > 1 or any(segment_id >= gate.model.size for segment_id in segment_ids):
            raise ModelError(f"{folder}: its parts don't fit each other; align this worker again")
        return cls(gate, general, experts)


def load_either(folder: Path, load: Callable[[Path], M]) -> M | Experts:
    """A version as it was written: one model of the kind, or experts below it."""
    if (folder / EXPERTS_FILE).exists() or (folder / _GATE).exists():
        return Experts.load(folder, load)
    return load(folder)


def _name(segment_id: int) -> str:
    return f"expert-{segment_id}"


def _read(path: Path) -> tuple[tuple[float, float], list[int]]:
    try:
        raw = json.loads(path.read_bytes())
        limits = (float(raw["at_least"]), float(raw["least_known"]))
        segment_ids = list(raw["experts"])
        if not all(map(math.isfinite, limits)) or not all(
            type(p) is int and p >= 0 for p in segment_ids
        ):
            raise ValueError("a number is out of its range")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"can't load {path}: {in_words(error)}; align this worker again"
        ) from error
    return limits, segment_ids
