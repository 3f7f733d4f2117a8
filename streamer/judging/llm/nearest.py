"""Labelled tickets, of which those that are most like a ticket stand in its prompt."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from streamer.errors import ConfigError
from streamer.judging.llm.chat_prompt import Example
from streamer.records.labelset import LabelSet
from streamer.records.rows import rows_by_line
from streamer.words import did_you_mean

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Embeddings [N, D] of N texts, of which the dot product says how alike two of them are."""

ENDING = ".examples.jsonl"


@dataclass(frozen=True)
class LabelledTickets:
    """`texts` [N] with the places of their labels, `labels` [N], in the label set."""

    label_set: LabelSet
    texts: tuple[str, ...]
    labels: tuple[int, ...]
    embed: Embed = field(repr=False)

    @classmethod
    def read(cls, file: Path, label_set: LabelSet, embed: Embed) -> "LabelledTickets":
        """From the columns `text` and `label` of a .jsonl or .csv file; raises `ConfigError`."""
        found = []
        for line, row in rows_by_line(file):
            text, label = (str(row.get(name) or "") for name in ("text", "label"))
            if label not in label_set.index or not text:
                wrong = "no text" if not text else f"the label {label!r}, which the task has not"
                hint = did_you_mean(label, label_set.labels) if text else ""
                raise ConfigError(f"{file}: line {line} has {wrong}{hint or ':'} correct it")
            found.append((text, label_set.index[label]))
        if not found:
            raise ConfigError(f"{file} has no tickets: write some, or set judge.examples to 0")
        texts, labels = zip(*found, strict=True)
        return cls(label_set, texts, labels, embed)

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits: a hash of all texts and labels."""
        told = orjson.dumps([self.label_set.labels, self.texts, self.labels])
        return hashlib.blake2b(told, digest_size=4).hexdigest()

    def embedded(self) -> NDArray[np.float32]:
        """[N, D], kept; made when they are first asked for, which takes seconds for a thousand."""
        return self._embeddings

    def nearest(self, texts: Sequence[str], count: int) -> list[tuple[Example, ...]]:
        """For each text the `count` tickets most like it, the most alike last."""
        if not texts:
            return []
        alike = self.embed(texts) @ self._embeddings.T
        best = np.argsort(alike, axis=1, kind="stable")[:, -count:].tolist()
        return [tuple((self.texts[at], self.labels[at]) for at in row) for row in best]

    @cached_property
    def _embeddings(self) -> NDArray[np.float32]:
        return self.embed(self.texts)


def load_labelled(
    folder: Path, tasks: Mapping[str, LabelSet], embed: Embed
) -> dict[str, LabelledTickets]:
    """`<folder>/<task>.examples.jsonl` of each task that has one; raises `ConfigError` for none."""
    files = {task: folder / f"{task}{ENDING}" for task in tasks}
    found = {
        task: LabelledTickets.read(file, tasks[task], embed)
        for task, file in files.items()
        if file.exists()
    }
    if not found:
        raise ConfigError(
            f"judge.examples: {folder} has no <task>{ENDING}: write one of rows with text and "
            "label, by `streamer judge --test FILE --write`, or set judge.examples to 0"
        )
    return found
