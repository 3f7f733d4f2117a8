"""What a judge answered, kept in a file so that a run that was ended goes on."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from streamer.errors import ConfigError, in_words

_LEAST = 1e-30
_DECIMALS = 5


@dataclass(frozen=True, slots=True)
class Answers:
    """About N tickets: log-probabilities `scores` [N, K] of the labels among all that the judge
    might say, and for each ticket in the mean the `tokens` that were computed (NaN: not counted)
    and `seconds`.
    """

    scores: NDArray[np.float64]
    tokens: float
    seconds: float

    def first(self, count: int) -> "Answers":
        """Those about the first tickets."""
        return Answers(self.scores[:count], self.tokens, self.seconds)


@dataclass(frozen=True, slots=True)
class Answer:
    """About one ticket, as `Answers`."""

    scores: tuple[float, ...]
    tokens: float | None
    seconds: float

    @classmethod
    def of(
        cls,
        probabilities: NDArray[np.float32],
        coverage: float,
        tokens: float | None,
        seconds: float,
    ) -> "Answer":
        """From the label's probabilities [K], which sum to 1, and their share of all."""
        share = np.log(np.maximum(probabilities.astype(np.float64), _LEAST))
        scores = np.round(share + np.log(max(coverage, _LEAST)), _DECIMALS)
        return cls(tuple(scores.tolist()), tokens, round(seconds, _DECIMALS))


class AnswerFile:
    """Answers by the judge's version, in which lie model, prompt and way of asking, and the text.

    One JSON object a line, appended as they come. Texts are not in it, but their hashes.
    """

    def __init__(self, path: Path) -> None:
        """Read what is there; raises `ConfigError` where it is none, or can't be written."""
        self._path = path
        self._found: dict[tuple[str, str], Answer] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab+") as file:
                file.seek(0)
                whole = self._read(file)
                # What a killed run had half written.
                file.truncate(whole)
        except OSError as error:
            raise ConfigError(f"can't write {path}: {in_words(error)}; name another") from None

    def missing(self, version: str, texts: Sequence[str]) -> list[str]:
        """The texts, each once, that this version was not asked about."""
        return [one for one in dict.fromkeys(texts) if (version, _key(one)) not in self._found]

    def add(self, version: str, answers: Iterable[tuple[str, Answer]]) -> None:
        """Keep answers to texts."""
        lines = []
        for text, one in answers:
            key = _key(text)
            self._found[version, key] = one
            told = {"judge": version, "ticket": key, "scores": one.scores}
            lines.append(orjson.dumps({**told, "tokens": one.tokens, "seconds": one.seconds}))
        with self._path.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())

    def answers(self, version: str, texts: Sequence[str]) -> Answers:
        """To all texts, which must be there."""
        found = [self._found[version, _key(text)] for text in texts]
        tokens = [np.nan if one.tokens is None else one.tokens for one in found]
        return Answers(
            np.array([one.scores for one in found], np.float64),
            float(np.mean(tokens)),
            float(np.mean([one.seconds for one in found])),
        )

    def _read(self, lines: Iterable[bytes]) -> int:
        """Returns how many bytes are whole lines."""
        whole = 0
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                break
            try:
                key, one = _answer(orjson.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise ConfigError(
                    f"{self._path}: line {number} is no answer of a judge ({in_words(error)}): "
                    "name another file, or remove it"
                ) from None
            self._found[key] = one
            whole += len(line)
        return whole


def _answer(told: dict[str, Any]) -> tuple[tuple[str, str], Answer]:
    one = Answer(tuple(map(float, told["scores"])), told["tokens"], float(told["seconds"]))
    return (str(told["judge"]), str(told["ticket"])), one


def _key(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
