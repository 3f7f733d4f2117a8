"""Logs as the services write them, with versions on trial in them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from streamer.decide.predictions import Predictions
from streamer.decide.rounding import rounded
from streamer.learn.data.dataset import Dataset
from streamer.records.log import BallotLog, Log, ShadowVote
from tests.learn.served import Serving

LATER = "2099-01-01T00:00:00.000Z"
"""Of the tickets: after any trial that a test begins."""


def tried(
    cases: Dataset,
    trials: Mapping[str, Predictions],
    serving: Serving | None = None,
    at: str = LATER,
) -> list[Log]:
    """All tickets are audited and shown to version 2 of the workers in `trials`."""
    logs = asyncio.run((serving or Serving()).log(cases))
    place = {name: number for number, name in enumerate(cases.ids)}
    return [
        replace(one, at=at, shadows=_shadows(cases, trials, place[one.ticket_id]))
        if isinstance(one, BallotLog)
        else one
        for one in logs
    ]


def _shadows(cases: Dataset, trials: Mapping[str, Predictions], row: int) -> tuple[ShadowVote, ...]:
    found = []
    for worker, predictions in trials.items():
        assert predictions.probabilities is not None
        vector = tuple(rounded(predictions.probabilities[row]).tolist())
        label = cases.labels[int(predictions.label_ids[row])]
        found.append(ShadowVote(worker, "2", label, vector))
    return tuple(found)
