"""What a judged ticket takes, read from what a judge has written of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from prometheus_client.parser import text_string_to_metric_families

from streamer.errors import ConfigError, in_words

_TOKENS, _VERDICTS = "streamer_verdict_tokens_total", "streamer_verdicts_total"


@dataclass(frozen=True, slots=True)
class MeasuredTokens:
    """`tokens` of a verdict's prompts that no cache held, in the mean over `verdicts`."""

    tokens: float
    verdicts: int

    @classmethod
    def read(cls, files: Sequence[Path]) -> "MeasuredTokens":
        """Of all files together: answers of a judge's /metrics, or what `streamer judge --test`
        wrote as JSON. Raises `ConfigError` where one has no tokens of verdicts.
        """
        found = [_read(file) for file in files]
        verdicts = sum(one.verdicts for one in found)
        return cls(sum(one.tokens * one.verdicts for one in found) / verdicts, verdicts)


def _read(file: Path) -> MeasuredTokens:
    try:
        text = file.read_text(encoding="utf-8")
        found = _of_test(text) if text.lstrip().startswith("{") else _of_metrics(text)
        if not (found.tokens > 0 and found.verdicts > 0):
            raise ValueError("no verdict whose tokens were counted")
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ConfigError(
            f"{file} says nothing of a verdict's tokens ({in_words(error)}): give what a judge's "
            "/metrics answers once it has judged, or judge.json of `streamer judge --test`"
        ) from error
    return found


def _of_test(text: str) -> MeasuredTokens:
    report = orjson.loads(text)
    return MeasuredTokens(float(report["told"][0]["price"]["tokens"]), int(report["told_on"]))


def _of_metrics(text: str) -> MeasuredTokens:
    samples = [sample for each in text_string_to_metric_families(text) for sample in each.samples]
    tokens = sum(
        sample.value
        for sample in samples
        if sample.name == _TOKENS and sample.labels["kind"] == "computed"
    )
    verdicts = sum(sample.value for sample in samples if sample.name == _VERDICTS)
    return MeasuredTokens(tokens / max(verdicts, 1), int(verdicts))
