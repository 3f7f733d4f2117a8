"""What the workers of one task learn, apart from what they are chosen and tested by."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.backends.features import Floats
from streamer.backends.gate import Gate
from streamer.learn.align.chances import Chances
from streamer.learn.align.choosing import Choice, choose
from streamer.learn.align.judged_log import Parts, ballot_of, is_uniform, judged_of
from streamer.learn.align.sample import JudgedSample, as_read
from streamer.learn.align.training import Aligned, align_worker
from streamer.learn.data.decisions import LoggedDecision
from streamer.learn.data.examples import Examples
from streamer.learn.kinds.kind import Kind
from streamer.records.labelset import LabelSet


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """`early` tickets train candidates, which `held_out` compares; `train` is for the best one.

    `early` holds no copy of a held-out text and `train` none of a test text: `copies` were dropped,
    and `uniform` of what is left are of the stratum. The same holds for the labelled examples
    beside them, `beside_early` and `beside_train`.
    """

    label_set: LabelSet
    early: JudgedSample
    held_out: JudgedSample
    train: JudgedSample
    beside_early: JudgedSample | None
    beside_train: JudgedSample | None
    gate: Gate | None
    uniform: int
    copies: int

    @classmethod
    def of(
        cls,
        parts: Parts,
        label_set: LabelSet,
        texts: Mapping[str, str],
        chances: Chances,
        gate: Gate | None = None,
        examples: Examples | None = None,
    ) -> "TrainingSet":
        """Raises `ConfigError` as `judged_of`."""
        tested, compared = (
            {_text(decision, texts) for decision in part} for part in (parts.test, parts.held_out)
        )

        def judged(decisions: Sequence[LoggedDecision], but: Container[str]) -> JudgedSample:
            fresh = [decision for decision in decisions if _text(decision, texts) not in but]
            return judged_of(fresh, label_set, texts, chances, gate)

        train = judged(parts.train, tested)
        extra = None if examples is None else _as_judged(examples, label_set, gate)
        return cls(
            label_set,
            judged(parts.early, tested | compared),
            judged(parts.held_out, tested),
            train,
            None if extra is None else extra.without(tested | compared),
            None if extra is None else extra.without(tested),
            gate,
            sum(
                is_uniform(decision) and _text(decision, texts) not in tested
                for decision in parts.train
            ),
            len(parts.train) - len(train),
        )

    def choice(self, kind: Kind, seed: int) -> Choice:
        """The best candidate of a kind."""
        return choose(
            kind,
            self.early,
            self.held_out,
            self.label_set,
            gate=self.gate,
            seed=seed,
            examples=self.beside_early,
        )

    def learnt(self, kind: Kind, choice: Choice, seed: int) -> Aligned:
        """The chosen way, of all that may be learnt from."""
        return align_worker(
            kind,
            self.train,
            self.label_set,
            loss=choice.best.loss,
            gate=self.gate if choice.best.shape == "experts" else None,
            seed=seed,
            examples=self.beside_train,
        )


def _as_judged(examples: Examples, label_set: LabelSet, gate: Gate | None) -> JudgedSample:
    label_ids = np.array([label_set.index[label] for label in examples.labels], np.int64)
    weights: Floats = np.ones(len(label_ids), np.float32)
    segment_ids = None if gate is None else gate.names(examples.texts).segment_ids
    return JudgedSample(examples.texts, label_ids, None, weights, segment_ids)


def _text(decision: LoggedDecision, texts: Mapping[str, str]) -> str:
    return as_read(texts[ballot_of(decision).ticket_id])
