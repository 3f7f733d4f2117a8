"""Versions on trial: asked beside the vote about some tickets, logged, and counted nowhere."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import Predictions
from streamer.decide.rounding import rounded
from streamer.decide.sampling import drawn
from streamer.decide.temperature import tempered
from streamer.errors import ModelError
from streamer.records.log import ShadowVote
from streamer.workers.faults import Nonsense
from streamer.workers.handshake import Met, meet
from streamer.workers.triton import TritonClient
from streamer.workers.wire import TextTensor

_log = logging.getLogger(__name__)

_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0

ByRow = Mapping[int, ShadowVote]


@dataclass(frozen=True, slots=True)
class Trial:
    """One version on trial: of `model`, asked about `share` (0 to 1) for up to `deadline_s`."""

    model: str
    version: str
    share: float
    deadline_s: float


class Shadow:
    """A version on trial, which is asked once and never waited for longer than its deadline.

    After a failure it is left alone for a while, the longer the more often it fails in a row.
    """

    def __init__(self, client: TritonClient, trial: Trial, labels: Sequence[str]) -> None:
        self.trial = trial
        self._client = client
        self._labels = tuple(labels)
        self._met: Met | None = None
        self._pause_s = _PAUSE_S
        self._out_until: float | None = None

    async def votes(self, texts: Sequence[bytes]) -> list[ShadowVote]:
        """One for each text; raises nothing of Triton's."""
        if self._out_until is not None and time.monotonic() < self._out_until:
            return self._nothing(len(texts))
        try:
            async with asyncio.timeout(self.trial.deadline_s):
                probs = await self._probs(TextTensor(texts))
        except (ModelError, TimeoutError) as error:
            self._failed(error)
            return self._nothing(len(texts))
        self._pause_s, self._out_until = _PAUSE_S, None
        return self._votes(tempered(Predictions.of(probs), 1))

    async def _probs(self, tensor: TextTensor) -> NDArray[np.float32]:
        model, version, deadline_s = self.trial.model, self.trial.version, self.trial.deadline_s
        if self._met is None:
            self._met = await meet(self._client, model, self._labels, deadline_s, version)
        answers = [
            await self._client.infer(model, part, deadline_s, version=version)
            for part in tensor.parts(self._met.most_rows)
        ]
        probs = np.concatenate([probs for _, probs in answers])
        if probs.shape != (len(tensor), len(self._labels)):
            raise Nonsense(model, f"version {version} answers {probs.shape} for {len(tensor)} rows")
        return probs

    def _failed(self, error: Exception) -> None:
        if self._out_until is None:
            _log.warning(
                "shadow version %s of %s does not answer, and labels go on without it: %s",
                self.trial.version,
                self.trial.model,
                error if str(error) else f"nothing within {self.trial.deadline_s:g} s",
            )
        self._out_until = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        # What comes back under the same number may be another model.
        self._met = None

    def _votes(self, predictions: Predictions) -> list[ShadowVote]:
        trial, vectors = self.trial, predictions.probabilities
        votes = []
        for row, label_id in enumerate(predictions.label_ids.tolist()):
            if label_id < 0 or vectors is None:
                votes.append(ShadowVote(trial.model, trial.version, None, None, "unusable"))
            else:
                vector = tuple(rounded(vectors[row]).tolist())
                label = self._labels[label_id]
                votes.append(ShadowVote(trial.model, trial.version, label, vector))
        return votes

    def _nothing(self, tickets: int) -> list[ShadowVote]:
        return [ShadowVote(self.trial.model, self.trial.version, None, None, "outage")] * tickets


class Asked:
    """What the shadows of a task were asked about N tickets; `marks` [N] are those drawn."""

    def __init__(self, marks: NDArray[np.bool_], questions: Sequence[asyncio.Task[ByRow]]) -> None:
        self.marks = marks
        self._questions = tuple(questions)

    async def votes(self) -> dict[int, tuple[ShadowVote, ...]]:
        """By the ticket's row: there within the longest deadline after they were asked."""
        by_row: dict[int, tuple[ShadowVote, ...]] = {}
        for votes in await asyncio.gather(*self._questions):
            for row, vote in votes.items():
                by_row[row] = (*by_row.get(row, ()), vote)
        return by_row

    def close(self) -> None:
        """Ask no longer."""
        for question in self._questions:
            question.cancel()


class Shadows:
    """The versions on trial of one task; `salt` draws their tickets by the hash of the id."""

    def __init__(self, shadows: Sequence[Shadow], salt: str) -> None:
        self._shadows = tuple(shadows)
        self._salt = salt

    def ask(self, ids: Sequence[str], texts: Sequence[bytes]) -> Asked | None:
        """Begin to ask about the tickets that are drawn, None where none is."""
        marks = [drawn(ids, self._salt, "shadow", shadow.trial.share) for shadow in self._shadows]
        if not any(mark.any() for mark in marks):
            return None
        return Asked(
            np.logical_or.reduce(marks),
            [
                asyncio.create_task(_ask(shadow, texts, np.flatnonzero(mark).tolist()))
                for shadow, mark in zip(self._shadows, marks, strict=True)
                if mark.any()
            ],
        )


async def _ask(shadow: Shadow, texts: Sequence[bytes], rows: Sequence[int]) -> ByRow:
    votes = await shadow.votes([texts[row] for row in rows])
    return dict(zip(rows, votes, strict=True))
