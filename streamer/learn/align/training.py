"""Training one worker on the judge's answers: one model for all tickets, or experts beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from streamer.backends.experts import Experts
from streamer.backends.features import Floats
from streamer.backends.gate import Gate
from streamer.errors import ConfigError
from streamer.learn.align.sample import JudgedSample, Mask
from streamer.learn.data.examples import drawn
from streamer.learn.kinds.kind import Kind, Settings, Targets, TrainedModel
from streamer.records.labelset import LabelSet
from streamer.records.segments import GENERAL

Loss = Literal["hard", "kl"]

LEAST = 100
"""Tickets of a segment below which it gets no expert (we choose)."""

OTHERS = (0.0, 0.1)
"""What the other segments' tickets may count in an expert's training, beside its own at 1 (we
choose). At 1 it would be the general model, which answers where there is no expert.
"""

HELD_OUT_SHARE = 0.15
_LEAST_HELD_OUT = 10


@dataclass(frozen=True, slots=True)
class Expert:
    """What was chosen for one segment: `others` is the weight of the other segments' tickets."""

    tickets: int
    others: float
    settings: Settings


@dataclass(frozen=True, slots=True)
class Aligned:
    """A `model` of all that it was given, with the general model's `settings` and its `experts` by
    the ids of their segments. Without experts `model` is the `general` one.
    """

    model: TrainedModel
    general: TrainedModel
    settings: Settings
    experts: Mapping[int, Expert] = field(default_factory=dict)


def align_worker(
    kind: Kind,
    judged: JudgedSample,
    label_set: LabelSet,
    *,
    loss: Loss,
    gate: Gate | None,
    seed: int,
    examples: JudgedSample | None = None,
) -> Aligned:
    """Learn the judge's labels (`hard`, cross-entropy) or its distributions (`kl`, KL(p || q)).

    About 15 % of the judged tickets, drawn by their texts' hashes, choose each model's settings and
    what an expert makes of other segments' tickets, all by the weighted share of equal labels; then
    everything is trained on. `examples` are learnt from and choose nothing. With a `gate`, every
    segment of at least `LEAST` tickets gets an expert where one does better than the general model.
    Same seed and material, same model. Raises `ConfigError` for too few tickets, and for `kl`
    without probabilities.
    """
    if loss == "kl" and judged.probabilities is None:
        raise ConfigError("the judge gives no probabilities: align to its labels (hard)")
    soft = judged if loss == "kl" else replace(judged, probabilities=None)
    material = _Material.of(_placed(soft, gate), examples, len(label_set), seed)
    # One thread: the order of a sum must not vary.
    with threadpool_limits(1):
        tuned, settings = kind.tune(*material.halves(kind), seed)
        general = kind.fit(material.everything, settings, seed)
        by_segment = {} if gate is None else dict(_experts(kind, material, tuned, seed))
    if gate is None or not by_segment:
        return Aligned(general, general, settings)
    models = {segment_id: model for segment_id, (model, _) in by_segment.items()}
    chosen = {segment_id: expert for segment_id, (_, expert) in by_segment.items()}
    experts = Experts(gate, general, models)
    return Aligned(experts, general, settings, chosen)


@dataclass(frozen=True, slots=True)
class _Material:
    """Judged tickets and examples of mean weight 1, in one row; `held_out` marks judged ones that
    only choose, `apart` what is no copy of them either, `real` what is no example.
    """

    all: JudgedSample
    size: int
    held_out: Mask
    apart: Mask
    real: Mask

    @classmethod
    def of(
        cls, judged: JudgedSample, examples: JudgedSample | None, size: int, seed: int
    ) -> "_Material":
        judged_rows = len(judged)
        both = judged.normalised() if examples is None else judged.and_examples(examples)
        real = np.arange(len(both)) < judged_rows
        picked = np.array(drawn(both.texts, HELD_OUT_SHARE, seed), np.bool_)
        return cls(both, size, real & picked, ~picked, real)

    @property
    def everything(self) -> Targets:
        return self._targets(np.ones(len(self.all), np.bool_))

    def halves(self, kind: Kind) -> tuple[Targets, Targets]:
        """What a model of all tickets is tuned on and by."""
        train, held_out = self._targets(self.apart), self._targets(self.held_out)
        if not len(held_out.labels) or len(np.unique(train.labels)) < 2:
            raise ConfigError(
                f"{int(self.real.sum())} judged tickets are too few to align {kind.name} and hold"
                " some out: wait, or raise audit.share or log.share, and export the log again"
            )
        return train, held_out

    def segment_ids(self) -> list[int]:
        """Segments of which enough tickets are there."""
        mine = self.all.segments
        if mine is None:
            return []
        segment_ids, counts = np.unique(mine[self.real & (mine != GENERAL)], return_counts=True)
        return [int(segment_id) for segment_id in segment_ids[counts >= LEAST]]

    def of_segment(self, segment_id: int) -> Mask:
        return np.asarray(self.all.segments == segment_id)

    def weighted(self, own: Mask, others: float, rows: Mask) -> Targets:
        """Those of the rows that count, with the segment's own at mean 1."""
        if not (own & rows).any():
            return self._targets(own & rows)
        scale = np.where(own, 1.0, others) / self.all.weights[own & rows].mean()
        weights = (self.all.weights * scale).astype(np.float32)
        return self._targets(rows & (weights > 0), weights)

    def _targets(self, mine: Mask, weights: Floats | None = None) -> Targets:
        sample = (self.all if weights is None else replace(self.all, weights=weights)).where(mine)
        weighted = sample.weights.astype(np.float32)
        return Targets(sample.texts, sample.label_ids, self.size, weighted, sample.probabilities)


def _placed(judged: JudgedSample, gate: Gate | None) -> JudgedSample:
    """Named by the gate where they are not yet, so that training sees what serving will see."""
    if gate is None or judged.segments is not None:
        return judged
    return replace(judged, segments=gate.names(judged.texts).segment_ids)


def _experts(
    kind: Kind, material: _Material, general: TrainedModel, seed: int
) -> Iterator[tuple[int, tuple[TrainedModel, Expert]]]:
    """Those of the segments where one is better than `general`, which was tuned and not yet fitted
    again.
    """
    for segment_id in material.segment_ids():
        own = material.of_segment(segment_id)
        chosen = _chosen(kind, material, own, general, seed)
        if chosen is not None:
            others, settings = chosen
            everything = material.weighted(own, others, np.ones_like(own))
            expert = Expert(int((own & material.real).sum()), others, settings)
            yield segment_id, (kind.fit(everything, settings, seed), expert)


def _chosen(
    kind: Kind, material: _Material, own: Mask, general: TrainedModel, seed: int
) -> tuple[float, Settings] | None:
    """What others count, and the settings, of the expert that agrees most often on the segment's
    own held-out tickets; None where `general`, which has not seen them either, does as well.
    """
    held_out = material.weighted(own, 0.0, material.held_out & own)
    if len(held_out.labels) < _LEAST_HELD_OUT:
        return None
    best, chosen = held_out.agreement(general.probabilities(held_out.texts)), None
    for others in OTHERS[::-1]:
        train = material.weighted(own, others, material.apart)
        if len(np.unique(train.labels)) < 2:
            continue
        model, settings = kind.tune(train, held_out, seed)
        agreement = held_out.agreement(model.probabilities(held_out.texts))
        if agreement > best:
            best, chosen = agreement, (others, settings)
    return chosen
