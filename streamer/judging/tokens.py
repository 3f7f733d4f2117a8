"""Ticket text to token ids: cut to a budget, and never read as anything but text."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from streamer.judging.cutting import Cutting
from streamer.judging.encoder import Encoder


@dataclass(frozen=True, slots=True)
class TicketTokens:
    """Token ids of one ticket, special tokens included; `truncated` if the middle is left out."""

    ids: list[int]
    truncated: bool


class TicketTokenizer:
    """Tokenises for one encoder. Safe to use from several threads."""

    def __init__(self, encoder: Encoder, max_tokens: int | None = None) -> None:
        self._tokenizer = Tokenizer.from_file(str(encoder.folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        # A ticket that says "[SEP]" means these five characters, not the end of the text.
        self._tokenizer.encode_special_tokens = True
        self._start, self._end = (self._special(name) for name in ("[CLS]", "[SEP]"))
        self._cutting = Cutting((max_tokens or encoder.max_tokens) - 2)

    def encode(self, texts: Sequence[str]) -> list[TicketTokens]:
        """Token ids for each text; an empty text gives the two special tokens alone."""
        shortened = [self._shorten(text) for text in texts]
        encodings = self._tokenizer.encode_batch(shortened, add_special_tokens=False)
        return [
            self._fit(encoding.ids, len(short) < len(text))
            for encoding, short, text in zip(encodings, shortened, texts, strict=True)
        ]

    def _special(self, name: str) -> int:
        number = self._tokenizer.token_to_id(name)
        if number is None:
            raise ValueError(f"the tokenizer has no {name}")
        return int(number)

    def _shorten(self, text: str) -> str:
        # Half a surrogate pair can't be tokenised; a decoder hook may let one through.
        return self._cutting.shortened(text.encode("utf-8", "replace").decode())

    def _fit(self, ids: list[int], shortened: bool) -> TicketTokens:
        fitted = self._cutting.fitted(ids)
        cut = shortened or len(fitted) < len(ids)
        return TicketTokens([self._start, *fitted, self._end], cut)
