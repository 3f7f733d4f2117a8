"""Which way to align a worker: tried out on tickets that none of the candidates has seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from streamer.backends.features import Floats
from streamer.backends.gate import Gate
from streamer.decide.distributions import total_variation
from streamer.learn.align.sample import JudgedSample
from streamer.learn.align.training import Aligned, Loss, align_worker
from streamer.learn.kinds.kind import Kind
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.shares import share
from streamer.records.labelset import LabelSet

Shape = Literal["pooled", "experts"]


@dataclass(frozen=True, slots=True)
class TriedCandidate:
    """A candidate on the held-out tickets: how often it says what the judge says, and the mean
    total variation between its distribution and the judge's, from 0 to 1.
    """

    shape: Shape
    loss: Loss
    agreement: Interval
    distance: float


@dataclass(frozen=True, slots=True)
class Choice:
    """All candidates in their order, the `best` of them, and its answers [N, K] on the held-out
    tickets.
    """

    tried: tuple[TriedCandidate, ...]
    best: TriedCandidate
    answers: Floats


def choose(
    kind: Kind,
    judged: JudgedSample,
    held_out: JudgedSample,
    label_set: LabelSet,
    *,
    gate: Gate | None,
    seed: int,
    examples: JudgedSample | None = None,
) -> Choice:
    """The candidate that agrees most often on `held_out`, of which all tickets count alike: one
    model for all tickets (`pooled`) and, with a gate, experts; each with either loss. Of several
    that agree as often the simplest, pooled before experts and labels before distributions.
    """
    answers_of = {}
    for loss in _losses(judged):
        aligned = align_worker(
            kind, judged, label_set, loss=loss, gate=gate, seed=seed, examples=examples
        )
        for shape, answers in _answers(aligned, held_out):
            answers_of[shape, loss] = answers
    order = sorted(answers_of, key=lambda pair: (pair[0] != "pooled", pair[1] != "hard"))
    tried = {pair: _tried(*pair, answers_of[pair], held_out) for pair in order}
    best = max(order, key=lambda pair: tried[pair].agreement.value)
    return Choice(tuple(tried.values()), tried[best], answers_of[best])


def _losses(judged: JudgedSample) -> tuple[Loss, ...]:
    return ("hard",) if judged.probabilities is None else ("hard", "kl")


def _answers(aligned: Aligned, held_out: JudgedSample) -> Iterator[tuple[Shape, Floats]]:
    yield "pooled", aligned.general.probabilities(held_out.texts)
    if aligned.experts:
        yield "experts", aligned.model.probabilities(held_out.texts)


def _tried(shape: Shape, loss: Loss, answers: Floats, held_out: JudgedSample) -> TriedCandidate:
    right = answers.argmax(axis=1) == held_out.label_ids
    judge = held_out.probabilities
    far = np.nan if judge is None else float(total_variation(judge, answers).mean())
    return TriedCandidate(shape, loss, Interval.of_share(share(right)), far)
