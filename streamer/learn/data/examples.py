"""Labelled texts: read from CSV or JSON lines, checked against a label set, split for good."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from streamer.errors import ConfigError, TicketError
from streamer.records.pointers import find
from streamer.records.rows import rows_by_line
from streamer.records.ticket_text import TicketText
from streamer.words import did_you_mean

_HELD_BACK = 20_260_101
_NAME = re.compile(r"https?://\S*|\bwww\.\S*|@\w+")
_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Examples:
    """`texts` [N] with their `labels` [N], from `places` [N]: file and line, where they are known.

    `textless` rows had a label and no text.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    textless: int = field(default=0, compare=False)
    places: tuple[str, ...] = field(default=(), compare=False)

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
        return self.where([not held for held in cut]), self.where(cut)

    def check_labels(self, labels: Sequence[str], source: str) -> None:
        """Raise ConfigError unless examples and label set name the same labels."""
        for number, label in enumerate(self.labels):
            if label not in labels:
                where = self.places[number] if self.places else f"{source}: example {number + 1}"
                raise ConfigError(
                    f"{where} has the label {label!r}, which is not in the label set"
                    f"{did_you_mean(label, labels) or ';'} add it to the task's labels or correct"
                    " the example"
                )
        missing = [label for label in labels if label not in self.labels]
        if missing:
            raise ConfigError(
                f"{source}: no example has the label {missing[0]!r}; add examples of it or take it"
                " out of the task's labels"
            )

    def where(self, mask: Sequence[bool]) -> "Examples":
        """Those that are marked, of a mask [N]."""
        kept = [i for i, wanted in enumerate(mask) if wanted]
        texts, labels = [self.texts[i] for i in kept], [self.labels[i] for i in kept]
        places = [self.places[i] for i in kept] if self.places else ()
        return Examples(tuple(texts), tuple(labels), places=tuple(places))


def read_examples(
    path: Path, *, text: Sequence[str], label: str, held_back: float = 0.0
) -> Examples:
    """Read a .csv or .jsonl file, either of them also with .gz.

    `text` and `label` are columns, or JSON pointers. Columns are joined by line breaks, empty ones
    left out; pointers as classify joins them. Rows without a label or a text are skipped, and so is
    the share `held_back` of the texts. Raises ConfigError where the file or a row can't be read, or
    has not the columns, and where no row has anything at a pointer.
    """
    reader = _Reader(path, text, label)
    for line, row in rows_by_line(path):
        reader.take(line, row)
    kept = reader.examples().split(held_back, _HELD_BACK)[0]
    return replace(kept, textless=reader.textless)


def as_pointer(name: str) -> str:
    """The JSON pointer to a column, or the pointer as it is."""
    return name if _is_pointer(name) else f"/{name.replace('~', '~0').replace('/', '~1')}"


class _Reader:
    """Takes the examples out of rows, one after the other."""

    def __init__(self, path: Path, text: Sequence[str], label: str) -> None:
        self.textless = 0
        self._path, self._text, self._label = path, text, label
        pointed = any(map(_is_pointer, text))
        self._joined = TicketText([as_pointer(name) for name in text]) if pointed else None
        self._columns = [name for name in (*text, label) if not _is_pointer(name)]
        self._kept: list[tuple[str, str, str]] = []
        self._why = ""

    def take(self, line: int, row: Mapping[str, Any]) -> None:
        if missing := [column for column in self._columns if column not in row]:
            raise ConfigError(
                f"{self._path}: line {line} has no column {missing[0]!r}, it has"
                f" {', '.join(map(repr, row))}; name the columns in the task's `data`"
            )
        label = find(row, as_pointer(self._label))
        if label in (None, ""):
            return
        if (text := self._of(row)).strip():
            self._kept.append((text, str(label), f"{self._path}: line {line}"))
        else:
            self.textless += 1

    def examples(self) -> Examples:
        """Raises `ConfigError` where there are none, or none has a text at one of the pointers."""
        if not self._kept:
            raise ConfigError(
                f"{self._path}: no row has a label in {self._label!r} and a text"
                f"{self._why and f' ({self._why})'}; check the file, and the task's `data`"
            )
        missed = self._joined.taken() if self._joined else Counter[str]()
        for pointer, times in missed.items():
            if times >= len(self._kept) + self.textless:
                raise ConfigError(
                    f"{self._path}: no row has a text at {pointer}: correct data.text, or "
                    "input.text where that is left out"
                )
        texts, labels, places = zip(*self._kept, strict=True)
        return Examples(texts, labels, places=places)

    def _of(self, row: Mapping[str, Any]) -> str:
        if self._joined is None:
            return "\n".join(str(row[column]) for column in self._text if row[column])
        try:
            return self._joined.of(row)
        except TicketError as error:
            self._why = self._why or error.detail
            return ""


def _is_pointer(name: str) -> bool:
    return name.startswith("/")


def drawn(texts: Sequence[str], share: float, seed: int) -> list[bool]:
    """Which texts are in about that share of all: each by its own hash.

    So copies stay together, also those that differ only in case, punctuation, spaces, user names
    and links: a model that has learnt one knows the other, and would look better than it is.
    """
    limit = int(share * 2**64)
    return [_hash64(same_words(text) or text, seed) < limit for text in texts]


def is_held_back(text: str, share: float) -> bool:
    """Whether no model learns from this text where `share` of the texts is held back."""
    return drawn([text], share, _HELD_BACK)[0]


def same_words(text: str) -> str:
    """What copies of a text have in common, also those that differ in case or punctuation."""
    return _NO_WORD.sub(" ", _NAME.sub(" ", text.casefold())).strip()


def _hash64(text: str, seed: int) -> int:
    digest = sha256(f"{seed}\0{text}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big")
