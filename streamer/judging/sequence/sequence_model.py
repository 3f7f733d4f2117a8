"""A model with a classification head of its own, on disk."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError
from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.engine.softmax import softmax
from streamer.records.labelset import LabelSet


@dataclass(frozen=True, slots=True)
class SequenceModel:
    """A `*ForSequenceClassification` in Hugging Face layout, for one label set.

    Its output `order[i]` is the logit of label i; `max_tokens` counts special tokens too.
    """

    files: ModelFolder
    label_set: LabelSet
    order: tuple[int, ...]
    max_tokens: int

    @classmethod
    def at(
        cls,
        folder: Path,
        want: LabelSet,
        max_ticket_tokens: int,
        max_model_len: int | None = None,
    ) -> "SequenceModel":
        """The model in `folder`, as `ModelFolder.at` finds it.

        Raises `ConfigError` where there is none, or its labels are not those of `want`.
        """
        files = ModelFolder.at(folder, max_model_len)
        kinds = files.config.get("architectures") or ["nothing"]
        if not kinds[0].endswith("ForSequenceClassification"):
            raise ConfigError(
                f"{files.folder} holds {kinds[0]}, and judge.kind sequence needs a model for "
                "sequence classification: train its head, or take kind llm"
            )
        order = _order(files, want)
        return cls(files, want, order, min(max_ticket_tokens, _longest(files)))

    @property
    def folder(self) -> Path:
        return self.files.folder

    @property
    def version(self) -> str:
        """The hash of the model; reads all weights, once."""
        return self.files.digest

    def probabilities(self, logits: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """float32 [N, K] in the label set's order: the softmax of N rows of the model's logits."""
        rows = np.array(logits, np.float64).reshape(len(logits), len(self.order))[:, self.order]
        return softmax(rows)


def _order(files: ModelFolder, want: LabelSet) -> tuple[int, ...]:
    given = files.config.get("id2label") or {}
    row_of = {str(label): int(row) for row, label in given.items()}
    if len(row_of) != len(given) or set(row_of) != set(want.labels):
        raise ConfigError(
            f"{files.folder / 'config.json'}: id2label says {', '.join(row_of) or 'nothing'}, and "
            f"the task's labels are {', '.join(want.labels)}: they must be the same, in any order"
        )
    return tuple(row_of[label] for label in want.labels)


def _longest(files: ModelFolder) -> int:
    """What the tokenizer says counts too: RoBERTa's first two positions are not for text."""
    told = files.folder / "tokenizer_config.json"
    config = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
    return min(files.max_tokens, int(config.get("model_max_length") or files.max_tokens))
