"""Ticket text to token ids: cut to a budget, and never read as anything but text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streamer.errors import ConfigError
from streamer.judging.engine.cutting import Cutting


@dataclass(frozen=True, slots=True)
class TicketTokens:
    """Token ids of one ticket, special tokens included; `truncated` if the middle is left out."""

    ids: list[int]
    truncated: bool


class Tokenized(Protocol):
    """A model whose folder holds a tokenizer.json; it reads `max_tokens`, special ones included."""

    @property
    def folder(self) -> Path: ...
    @property
    def max_tokens(self) -> int: ...


class TicketTokenizer:
    """Tokenises for one encoder or classifier. Safe to use from several threads."""

    def __init__(self, model: Tokenized, max_tokens: int | None = None) -> None:
        """`max_tokens`, if it is given, instead of the model's. Raises `ConfigError`."""
        # Where a server tokenises this library is missing.
        from tokenizers import Tokenizer

        file = model.folder / "tokenizer.json"
        if not file.exists():
            raise ConfigError(f"{file} is missing: put the model's fast tokenizer there")
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        # A ticket that says "[SEP]" means these five characters, not the end of the text.
        self._tokenizer.encode_special_tokens = True
        self._before, self._after = self._around()
        around = len(self._before) + len(self._after)
        # A model without special tokens can't be asked about nothing at all.
        self._nothing = [] if around else self._blank()
        self._cutting = Cutting((max_tokens or model.max_tokens) - around)

    def encode(self, texts: Sequence[str]) -> list[TicketTokens]:
        """Token ids for each text; an empty text gives the special tokens alone."""
        shortened = [self._shorten(text) for text in texts]
        encodings = self._tokenizer.encode_batch(shortened, add_special_tokens=False)
        return [
            self._fit(encoding.ids, len(short) < len(text))
            for encoding, short, text in zip(encodings, shortened, texts, strict=True)
        ]

    def _around(self) -> tuple[list[int], list[int]]:
        """The special tokens that stand before and after a text, as the tokenizer has it."""
        [alone], [whole] = (
            self._tokenizer.encode_batch(["a"], add_special_tokens=special)
            for special in (False, True)
        )
        before = whole.ids.index(alone.ids[0])
        return whole.ids[:before], whole.ids[before + len(alone.ids) :]

    def _blank(self) -> list[int]:
        tried = self._tokenizer.encode_batch([" ", "."], add_special_tokens=False)
        return next(list(encoding.ids) for encoding in tried if encoding.ids)

    def _shorten(self, text: str) -> str:
        # Half a surrogate pair can't be tokenised; a decoder hook may let one through.
        return self._cutting.shortened(text.encode("utf-8", "replace").decode())

    def _fit(self, whole: list[int], shortened: bool) -> TicketTokens:
        fitted = self._cutting.fitted(whole)
        cut = shortened or len(fitted) < len(whole)
        ids = fitted or self._nothing
        return TicketTokens([*self._before, *ids, *self._after], cut)
