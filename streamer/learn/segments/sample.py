"""The tickets that segments are found in."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import orjson

GIANT = 8000
"""Characters from which on a ticket counts as giant: beyond, no model here reads it whole."""


@dataclass(frozen=True, slots=True)
class SegmentSample:
    """Ids and texts [N] of tickets of the uniform stratum.

    `absent` tickets of the log have no text in the file; `wordless` ones, such as those of emojis
    alone, and `giant` ones are among the N.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    absent: int
    wordless: int
    giant: int

    @classmethod
    def of(cls, logged: Mapping[str, str], texts: Mapping[str, str], most: int) -> "SegmentSample":
        """Of the logged tickets (id to time) those with a text; at most so many, drawn by hash."""
        ids = sorted((name for name in logged if name in texts), key=_hash)[:most]
        # In the order of time: who draws a sample of rows draws of all times.
        ids.sort(key=lambda name: (logged[name], name))
        readable = tuple(_readable(texts[name]) for name in ids)
        return cls(
            tuple(ids),
            readable,
            sum(name not in texts for name in logged),
            sum(not _has_word(text) for text in readable),
            sum(len(text) > GIANT for text in readable),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def sha256(self) -> str:
        return sha256(orjson.dumps([self.ids, self.texts])).hexdigest()

    @property
    def notes(self) -> list[str]:
        """What is unusual, in words; empty where nothing is."""
        lines = {
            "logged tickets have no text in the file and are left out": self.absent,
            "tickets have no letter or digit, as emojis alone; they are kept": self.wordless,
            f"tickets are longer than {GIANT} characters; their middle isn't read": self.giant,
        }
        return [f"{count} {text}" for text, count in lines.items() if count]


def _hash(name: str) -> bytes:
    return sha256(name.encode("utf-8", "replace")).digest()


def _readable(text: str) -> str:
    # Half a surrogate pair can't be written as JSON.
    return text.encode("utf-8", "replace").decode()


def _has_word(text: str) -> bool:
    return any(unicodedata.category(sign)[0] in "LN" for sign in text)
