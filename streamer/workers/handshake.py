"""The handshake: a worker says what it is, and must be what configuration and contract say."""

import asyncio
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from streamer.decide.predictions import ABSTAINED, Predictions, Probabilities
from streamer.errors import ConfigError
from streamer.workers.faults import Misfit, Nonsense, Outage, Refused
from streamer.workers.triton import TritonClient
from streamer.workers.wire import CANARY, CONTRACT, TextTensor

_log = logging.getLogger(__name__)

_DEADLINE_S = 10.0
_PAUSE_S = 0.5
_LOG_EVERY_S = 5.0

_TRAIN = "train the model with the configured labels, or correct the task's labels and their order"
_SOFTMAX = "PROBS are a row for each text of 0 to 1 for each label, in sum 1: end it in a softmax"


@dataclass(frozen=True, slots=True)
class Met:
    """A version that is a worker of its task, and how many rows one call of it may have."""

    version: str
    most_rows: int


async def handshake(
    client: TritonClient,
    model: str,
    labels: Sequence[str],
    *,
    patience_s: float = math.inf,
    version: str = "",
) -> Met:
    """Meet a worker at start; waits up to `patience_s` for the server.

    `version` is the only one that will do; with "" it is the model's current one.

    Raises ConfigError where Triton doesn't have the model, or has one that can't be this worker;
    Outage when the patience is over.
    """
    began = logged = time.monotonic()
    while True:
        try:
            return await meet(client, model, labels, _DEADLINE_S, version)
        except (Misfit, Nonsense) as error:
            raise ConfigError(str(error)) from error
        except Refused as error:
            raise ConfigError(
                f"worker {model} refuses a canary: {error.why}; {CONTRACT}"
            ) from error
        except Outage as error:
            now = time.monotonic()
            if now - began >= patience_s:
                raise
            if now - logged >= _LOG_EVERY_S:
                _log.warning("waiting for Triton at %s: %s", client.url, error)
                logged = now
        await asyncio.sleep(_PAUSE_S)


async def meet(
    client: TritonClient, model: str, labels: Sequence[str], deadline_s: float, version: str = ""
) -> Met:
    """Ask a model what it is, and hold its answer to canaries against the contract.

    Raises Outage or Refused: Misfit where it answers and can't be a worker of these labels.
    """
    most_rows = await client.most_rows(model, deadline_s, version)
    met, served = await client.labels(model, deadline_s, version)
    if wrong := _other_labels(labels, served):
        raise Misfit(model, f"version {met}: {wrong}", _TRAIN)
    # Two, where it takes two: of one row alone many a wrong shape looks right.
    canaries = TextTensor([CANARY] * min(2, most_rows))
    _, probs = await client.infer(model, canaries, deadline_s, version=met)
    if wrong := _no_vote(probs, (len(canaries), len(labels))):
        raise Misfit(model, f"version {met} answers a canary with {wrong}", _SOFTMAX)
    return Met(met, most_rows)


def _other_labels(wanted: Sequence[str], served: Sequence[str]) -> str | None:
    if list(wanted) == list(served):
        return None
    if not served:
        return "it names no labels: its PROBS have no label_filename"
    index = next(
        (i for i, (w, f) in enumerate(zip(wanted, served, strict=False)) if w != f),
        min(len(wanted), len(served)),
    )
    return (
        f"its labels differ from the configuration: {len(served)} labels where"
        f" {len(wanted)} are configured, the first difference at position {index}:"
        f" {_name(served, index)} where {_name(wanted, index)} is configured"
    )


def _name(labels: Sequence[str], index: int) -> str:
    return repr(labels[index]) if index < len(labels) else "none"


def _no_vote(probs: Probabilities, shape: tuple[int, int]) -> str | None:
    if probs.shape != shape:
        return f"PROBS {list(probs.shape)} where {list(shape)} are due"
    for code, row in zip(Predictions.of(probs).label_ids, probs.tolist(), strict=True):
        if code == ABSTAINED:
            return f"{min(row):g} to {max(row):g}, in sum {sum(row):g}"
    return None
