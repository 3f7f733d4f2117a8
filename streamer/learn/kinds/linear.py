"""Linear workers over TF-IDF n-grams: one-against-rest support vector machines where labels are
learnt, multinomial logistic regression where whole distributions are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.svm import LinearSVC

from streamer.backends import features, linear, ngrams
from streamer.backends.features import Extract, Features, Floats, softmax
from streamer.backends.linear import LinearModel
from streamer.learn.kinds import softmax_regression
from streamer.learn.kinds.kind import Light, Settings, Targets

_SOFTNESS = (0.4, 1.0)
_SOFTER = (0.1, *_SOFTNESS)
"""Where some texts count more than others, they are worth fewer than they are (we choose)."""

_EPOCHS = (3.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class LinearKind(Light):
    """`extract` finds the n-grams; those in fewer than `min_texts` training texts are ignored."""

    name: str
    extract: Extract
    min_texts: int

    @property
    def modules(self) -> Sequence[ModuleType]:
        return (ngrams, features, linear, softmax_regression)

    def tune(self, train: Targets, held_out: Targets, seed: int) -> tuple[LinearModel, Settings]:
        """Choose how soft the margin is, or the number of epochs, and the factor that makes
        log-odds of scores.

        The factor is fitted on held-out texts: on its own training texts a model is too sure.
        """
        features = Features.fit(self.extract, train.texts, min_texts=self.min_texts)
        rows = features.rows(train.texts)
        choices = _choices(train)
        models = [_model(features, rows, train, choice, seed) for choice in choices]
        scores = [model.scores(held_out.texts) for model in models]
        best = int(np.argmax([held_out.agreement(each) for each in scores]))
        factor = _log_odds_factor(scores[best], held_out)
        return _scaled(models[best], factor), {**choices[best], "factor": factor}

    def fit(self, targets: Targets, settings: Settings, seed: int) -> LinearModel:
        """Train on all of `targets`."""
        features = Features.fit(self.extract, targets.texts, min_texts=self.min_texts)
        rows = features.rows(targets.texts)
        return _scaled(_model(features, rows, targets, settings, seed), settings["factor"])


def _choices(targets: Targets) -> list[Settings]:
    """What is tried."""
    if targets.probabilities is None:
        softness = _SOFTNESS if targets.weights is None else _SOFTER
        return [{"softness": each} for each in softness]
    return [{"epochs": epochs} for epochs in _EPOCHS]


def _model(
    features: Features, rows: Any, targets: Targets, settings: Settings, seed: int
) -> LinearModel:
    if targets.probabilities is None:
        return _machine(features, rows, targets, settings["softness"], seed)
    epochs = int(settings["epochs"])
    return LinearModel(
        features, *softmax_regression.softmax_regression(rows, targets, epochs, seed)
    )


def _machine(
    features: Features, rows: Any, targets: Targets, softness: float, seed: int
) -> LinearModel:
    machine = LinearSVC(C=softness, random_state=seed)
    machine.fit(rows, targets.labels, sample_weight=targets.weights)
    weights = np.zeros((len(features.buckets), targets.size), dtype=np.float32)
    # A machine that saw no example of a label answers -1, the margin of a clear no.
    bias = np.full(targets.size, -1, dtype=np.float32)
    signs = np.array([[-1], [1]]) if len(machine.classes_) == 2 else np.array([[1]])
    weights[:, machine.classes_] = (signs * machine.coef_).T
    bias[machine.classes_] = (signs * machine.intercept_).reshape(-1)
    return LinearModel(features, weights, bias)


def _log_odds_factor(margins: Floats, held_out: Targets) -> float:
    def loss(log_factor: float) -> float:
        return held_out.loss(softmax(margins * np.exp(log_factor)))

    return float(np.exp(minimize_scalar(loss, bounds=(-1, 4), method="bounded").x))


def _scaled(model: LinearModel, factor: float) -> LinearModel:
    by = np.float32(factor)
    return replace(model, weights=model.weights * by, bias=model.bias * by)


def word_ngrams() -> LinearKind:
    """Rare words are kept: a product's name says much even when it was seen once."""
    return LinearKind("word_ngrams", ngrams.words, min_texts=1)


def char_ngrams() -> LinearKind:
    """Runs that only one text has are mostly noise, and most of the memory."""
    return LinearKind("char_ngrams", ngrams.chars, min_texts=2)
