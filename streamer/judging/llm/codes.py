"""One short code for each label, and each code one token of the model."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits

from streamer.errors import ConfigError

LARGEST = 128
"""So many tokens vLLM gives the log-probabilities of in one request."""


@dataclass(frozen=True, slots=True)
class Codes:
    """K codes as the model reads them in the prompt, and the token [K] that answers with each."""

    texts: tuple[str, ...]
    ids: tuple[int, ...]

    @classmethod
    def assign(cls, count: int, answer: Callable[[str], Sequence[int]]) -> "Codes":
        """Codes for `count` labels: a letter each, or two characters each beyond 26.

        `answer` gives the tokens of a text as the model would answer it. A code whose answer is not
        one token, or the token of an earlier code, is passed over. Raises `ConfigError` when the
        tokenizer has too few.
        """
        if count > LARGEST:
            raise ConfigError(
                f"{count} labels are more than the {LARGEST} that can have codes: "
                "set judge.codes to names"
            )
        by_token: dict[int, str] = {}
        for text in cls.candidates(count):
            ids = answer(text)
            if len(ids) == 1:
                by_token.setdefault(ids[0], text)
            if len(by_token) == count:
                return cls(tuple(by_token.values()), tuple(by_token))
        raise ConfigError(
            f"the model's tokenizer has {len(by_token)} codes that are single tokens, and the task "
            f"has {count} labels: set judge.codes to names, or take another model"
        )

    @staticmethod
    def candidates(count: int) -> Iterator[str]:
        """What may be a code where there are `count` labels, in the order of preference."""
        if count <= len(ascii_uppercase):
            yield from ascii_uppercase
            return
        # All of the same length: a model that has seen "A" and "AB" in one list may mean either
        # by "A".
        for second in (ascii_uppercase, ascii_lowercase, digits):
            for first in ascii_uppercase:
                yield from (first + end for end in second)
        for first in digits + ascii_lowercase:
            yield from (first + end for end in digits + ascii_lowercase)

    def permuted(self, order: Sequence[int]) -> "Codes":
        """The same codes, label i with the one that label `order[i]` had."""
        return Codes(
            tuple(self.texts[index] for index in order), tuple(self.ids[index] for index in order)
        )
