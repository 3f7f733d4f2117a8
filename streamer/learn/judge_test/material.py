"""Which labelled tickets a test chooses on, which it tells of, and which are shown to the judge."""

from dataclasses import dataclass
from hashlib import sha256

from streamer.errors import ConfigError
from streamer.learn.data.examples import Examples, same_words

_FEWEST = 10
_RESERVED = 10


@dataclass(frozen=True, slots=True)
class Material:
    """`choosing` and `pool` are of `train`. No two of these and `telling` have a text in common,
    also none that differs in case or punctuation.
    """

    train: Examples
    choosing: Examples
    telling: Examples
    pool: Examples

    @classmethod
    def of(
        cls, train: Examples, file: Examples, choose: int, tell: int | None = None
    ) -> "Material":
        """`choose` tickets drawn from `train` by their hashes, the first `tell` of `file`, and of
        `train` nine in ten of those that are left.

        Raises `ConfigError` where too few are left to choose on.
        """
        told = set(map(same_words, file.texts))
        words = [same_words(text) for text in train.texts]
        free = sorted({word for word in words if word not in told}, key=_hash)
        if min(len(free), choose) < _FEWEST:
            raise ConfigError(
                f"there are {min(len(free), choose)} tickets to choose on, and it takes {_FEWEST}:"
                f" the training data has {len(free)} that are not in the file; give other tickets,"
                " or a larger --choose"
            )
        chosen = set(free[:choose])
        # More than are chosen on, so that the pool stays as it is where some more are.
        kept = set(free[: max(choose, len(free) // _RESERVED)])
        first = {word: place for place, word in reversed(list(enumerate(words)))}
        return cls(
            train,
            train.where([word in chosen and first[word] == at for at, word in enumerate(words)]),
            file.where([at < (tell or len(file)) for at in range(len(file))]),
            train.where([word not in kept and word not in told for word in words]),
        )


def _hash(word: str) -> bytes:
    return sha256(word.encode("utf-8", "replace")).digest()
