"""The subword worker: averaged embeddings of word pieces below one hidden layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.backends import features, net, ngrams
from streamer.backends.features import Features, Floats, softmax
from streamer.backends.net import NetModel
from streamer.learn.kinds.kind import Light, Settings, Targets
from streamer.learn.kinds.minibatches import batch_count, minibatches

_EPOCHS = (3, 10)
_HIDDEN = 128
_RATE = 8e-3
_DROPPED = 0.3
_MIN_TEXTS = 2
_KEEP_MEAN, _KEEP_SQUARE = 0.9, 0.999


@dataclass(frozen=True, slots=True)
class SubwordNet(Light):
    """Many epochs suit many labels, few suit few noisy ones; held-out texts tell which."""

    name: str = "subword_net"

    @property
    def modules(self) -> Sequence[ModuleType]:
        return (ngrams, features, net)

    def tune(self, train: Targets, held_out: Targets, seed: int) -> tuple[NetModel, Settings]:
        """Choose the number of epochs."""
        models = [self.fit(train, {"epochs": epochs}, seed) for epochs in _EPOCHS]
        answers = [model.probabilities(held_out.texts) for model in models]
        best = int(np.argmax([held_out.agreement(answer) for answer in answers]))
        return models[best], {"epochs": float(_EPOCHS[best])}

    def fit(self, targets: Targets, settings: Settings, seed: int) -> NetModel:
        """Train on all of `targets`."""
        features = Features.fit(ngrams.pieces, targets.texts, min_texts=_MIN_TEXTS)
        rows = features.rows(targets.texts)
        random = np.random.default_rng(seed)
        layers = _initial(rows.shape[1], targets.size, random)
        optimiser = _Adam(layers)
        epochs = int(settings["epochs"])
        steps = batch_count(len(targets.labels), epochs)
        for step, batch in enumerate(minibatches(len(targets.labels), epochs, random)):
            gradients = _gradients(layers, rows[batch], targets, batch, random)
            optimiser.step(gradients, _RATE * (1 - step / steps))
        return NetModel(features, *layers)


def _initial(inputs: int, size: int, random: np.random.Generator) -> list[Floats]:
    def normal(rows: int, columns: int, spread: float) -> Floats:
        return random.standard_normal((rows, columns), dtype=np.float32) * np.float32(spread)

    return [
        normal(inputs, _HIDDEN, 0.125),
        np.zeros(_HIDDEN, dtype=np.float32),
        normal(_HIDDEN, size, _HIDDEN**-0.5),
        np.zeros(size, dtype=np.float32),
    ]


def _gradients(
    layers: Sequence[Floats],
    rows: Any,
    targets: Targets,
    batch: npt.NDArray[np.int64],
    random: np.random.Generator,
) -> list[Floats]:
    """Of the batch's mean loss. Pieces and hidden units are left out at random against
    overfitting.
    """
    embeddings, shift, weights, bias = layers
    rows.data *= _kept(rows.data.shape, random)
    hidden = np.maximum(rows @ embeddings + shift, 0)
    kept = _kept(hidden.shape, random) * (hidden > 0)
    hidden *= kept
    error = targets.error(softmax(hidden @ weights + bias), batch)
    below = (error @ weights.T) * kept
    return [rows.T @ below, below.sum(axis=0), hidden.T @ error, error.sum(axis=0)]


def _kept(shape: tuple[int, ...], random: np.random.Generator) -> Floats:
    return (random.random(shape, dtype=np.float32) >= _DROPPED) / np.float32(1 - _DROPPED)


class _Adam:
    """Adam that changes the layers in place: the embeddings are too large for copies per step."""

    def __init__(self, layers: Sequence[Floats]) -> None:
        self._layers = layers
        self._means = [np.zeros_like(layer) for layer in layers]
        self._squares = [np.zeros_like(layer) for layer in layers]
        self._steps = 0

    def step(self, gradients: Sequence[Floats], rate: float) -> None:
        self._steps += 1
        rate *= np.sqrt(1 - _KEEP_SQUARE**self._steps) / (1 - _KEEP_MEAN**self._steps)
        for layer, mean, square, gradient in zip(
            self._layers, self._means, self._squares, gradients, strict=True
        ):
            mean *= np.float32(_KEEP_MEAN)
            mean += np.float32(1 - _KEEP_MEAN) * gradient
            square *= np.float32(_KEEP_SQUARE)
            gradient *= gradient
            gradient *= np.float32(1 - _KEEP_SQUARE)
            square += gradient
            change = np.sqrt(square)
            change += np.float32(1e-8)
            np.divide(mean, change, out=change)
            change *= np.float32(rate)
            layer -= change
