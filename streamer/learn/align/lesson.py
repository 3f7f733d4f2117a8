"""What the workers of one task learn, apart from what they are chosen and tested by."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from streamer.backends.experts import Gate
from streamer.backends.features import Floats
from streamer.learn.align.chances import Chances
from streamer.learn.align.choosing import Choice, choose
from streamer.learn.align.judged_log import Parts, ballot_of, judged_of
from streamer.learn.align.material import Judged
from streamer.learn.align.training import Aligned, align_worker
from streamer.learn.examples import Examples
from streamer.learn.kinds.kind import Kind
from streamer.records.labelset import LabelSet


@dataclass(frozen=True, slots=True)
class Lesson:
    """`early` tickets train candidates, which `held_out` compares; `train` is for the best one.

    `early` holds no copy of a held-out text and `train` none of a test text: `copies` were dropped.
    The same holds for the labelled examples beside them, `beside_early` and `beside_train`.
    """

    label_set: LabelSet
    early: Judged
    held_out: Judged
    train: Judged
    beside_early: Judged | None
    beside_train: Judged | None
    gate: Gate | None
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
    ) -> "Lesson":
        """Raises `ConfigError` as `judged_of`."""
        early, held_out, train = (
            judged_of(some, label_set, texts, chances, gate)
            for some in (parts.early, parts.held_out, parts.train)
        )
        tested = [texts[ballot_of(one).ticket_id] for one in parts.test]
        known = None if examples is None else _as_judged(examples, label_set, gate)
        kept, beside = train.without(tested), None if known is None else known.without(tested)
        return cls(
            label_set,
            early.without([*held_out.texts, *tested]),
            held_out.without(tested),
            kept,
            None if beside is None else beside.without(held_out.texts),
            beside,
            gate,
            len(train) - len(kept) + _len(known) - _len(beside),
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


def _as_judged(examples: Examples, label_set: LabelSet, gate: Gate | None) -> Judged:
    codes = np.array([label_set.index[label] for label in examples.labels], np.int64)
    weights: Floats = np.ones(len(codes), np.float32)
    places = None if gate is None else gate.places(examples.texts)
    return Judged(examples.texts, codes, None, weights, places)


def _len(judged: Judged | None) -> int:
    return 0 if judged is None else len(judged)
