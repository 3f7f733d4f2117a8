"""The handshake: a worker says its labels, and they must be the configured ones in that order."""

import asyncio
import logging
import math
import time
from collections.abc import Sequence

from streamer.errors import ConfigError
from streamer.workers.faults import Outage, Refused, UnknownModel
from streamer.workers.triton import TritonClient

_log = logging.getLogger(__name__)

_DEADLINE_S = 10.0
_PAUSE_S = 0.5
_LOG_EVERY_S = 5.0


async def handshake(
    client: TritonClient,
    model: str,
    labels: Sequence[str],
    *,
    patience_s: float = math.inf,
    version: str = "",
) -> str:
    """Meet a worker at start and return its version; waits up to `patience_s` for the server.

    `version` is the only one that will do; with "" it is the model's current one.

    Raises ConfigError where Triton doesn't have the model, or has it with other labels or inputs;
    Outage when the patience is over.
    """
    began = logged = time.monotonic()
    while True:
        try:
            met, found = await client.labels(model, _DEADLINE_S, version)
            break
        except (UnknownModel, Refused) as error:
            raise ConfigError(
                f"{error}; or correct the model's name or version in the configuration"
            ) from error
        except Outage as error:
            now = time.monotonic()
            if now - began >= patience_s:
                raise
            if now - logged >= _LOG_EVERY_S:
                _log.warning("waiting for Triton at %s: %s", client.url, error)
                logged = now
        await asyncio.sleep(_PAUSE_S)
    if wrong := mismatch(labels, found):
        raise ConfigError(f"model {model}, version {met}: {wrong}")
    return met


def mismatch(wanted: Sequence[str], found: Sequence[str]) -> str | None:
    """What is wrong with a worker's labels and what to do about it; None when nothing is."""
    if list(wanted) == list(found):
        return None
    todo = (
        "train the model with the configured labels, or correct the task's labels and their order"
    )
    if not found:
        return f"it names no labels; give its PROBS a label_filename, and {todo}"
    at = next(
        (i for i, (w, f) in enumerate(zip(wanted, found, strict=False)) if w != f),
        min(len(wanted), len(found)),
    )
    return (
        f"its labels differ from the configuration: {len(found)} labels where"
        f" {len(wanted)} are configured, the first difference at position {at}:"
        f" {_name(found, at)} where {_name(wanted, at)} is configured; {todo}"
    )


def _name(labels: Sequence[str], at: int) -> str:
    return repr(labels[at]) if at < len(labels) else "none"
