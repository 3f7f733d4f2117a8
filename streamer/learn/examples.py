"""Labelled texts: read from CSV or JSON lines, checked against a label set, split for good."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from streamer.errors import ConfigError
from streamer.records.rows import rows

_HELD_BACK = 20_260_101
_NAME = re.compile(r"https?://\S*|\bwww\.\S*|@\w+")
_NO_WORD = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True)
class Examples:
    """`texts` [N] with their `labels` [N]."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def sha256(self) -> str:
        """A hash of the content in its order."""
        return sha256(orjson.dumps([self.texts, self.labels])).hexdigest()

    def split(self, share: float, seed: int) -> tuple["Examples", "Examples"]:
        """The larger part and about `share` of the examples, each in their order.

        A text's own hash decides, so that copies of a text, as `drawn` has them, never lie on both
        sides, and adding examples moves none of the others.
        """
        cut = drawn(self.texts, share, seed)
        return self._where([not held for held in cut]), self._where(cut)

    def check_labels(self, labels: Sequence[str], source: str) -> None:
        """Raise ConfigError unless examples and label set name the same labels."""
        for number, label in enumerate(self.labels, 1):
            if label not in labels:
                raise ConfigError(
                    f"{source}: example {number} has the label {label!r}, which is not in the"
                    f" label set; add it to the task's labels or correct the example"
                )
        missing = [label for label in labels if label not in self.labels]
        if missing:
            raise ConfigError(
                f"{source}: no example has the label {missing[0]!r}; add examples of it or take it"
                " out of the task's labels"
            )

    def _where(self, mask: Sequence[bool]) -> "Examples":
        kept = [i for i, wanted in enumerate(mask) if wanted]
        return Examples(tuple(self.texts[i] for i in kept), tuple(self.labels[i] for i in kept))


def read_examples(
    path: Path, *, text: Sequence[str], label: str, held_back: float = 0.0
) -> Examples:
    """Read a .csv or .jsonl file, either of them also with .gz.

    The `text` columns are joined by line breaks, empty ones left out; rows without a label are
    skipped, and so is the share `held_back` of the texts. Raises ConfigError where the file, a
    column or a row can't be read.
    """
    texts, labels = [], []
    for number, row in enumerate(rows(path), 1):
        missing = [column for column in (*text, label) if column not in row]
        if missing:
            raise ConfigError(
                f"{path}: row {number} has no column {missing[0]!r}, it has"
                f" {', '.join(map(repr, row))}; name the columns in the task's `data`"
            )
        if row[label] not in (None, ""):
            texts.append("\n".join(str(row[column]) for column in text if row[column]))
            labels.append(str(row[label]))
    if not texts:
        raise ConfigError(f"{path}: no row has a label in {label!r}; check the file and the column")
    return Examples(tuple(texts), tuple(labels)).split(held_back, _HELD_BACK)[0]


def drawn(texts: Sequence[str], share: float, seed: int) -> list[bool]:
    """Which texts are in about that share of all: each by its own hash.

    So copies stay together, also those that differ only in case, punctuation, digits, spaces, user
    names and links: a model that has learnt one knows the other, and would look better than it is.
    """
    limit = int(share * 2**64)
    return [_hash64(_words(text) or text, seed) < limit for text in texts]


def is_held_back(text: str, share: float) -> bool:
    """Whether no model learns from this text where `share` of the texts is held back."""
    return drawn([text], share, _HELD_BACK)[0]


def _words(text: str) -> str:
    return _NO_WORD.sub(" ", _NAME.sub(" ", text.casefold())).strip()


def _hash64(text: str, seed: int) -> int:
    digest = sha256(f"{seed}\0{text}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big")
