"""Asks one worker about some tickets."""

import time
from collections.abc import Sequence

import numpy as np

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.temperature import tempered
from streamer.decide.vote_result import VoteResult, WorkerVotes
from streamer.observe.batch_trace import BatchTrace
from streamer.observe.metrics import Metrics
from streamer.workers.faults import WorkerOut
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Voter


class Seating:
    """Seats workers at a vote, and counts what they do."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def seat(self, worker: Voter, tensor: TextTensor, batch_trace: BatchTrace) -> WorkerVotes:
        """What the worker says, raw; one that is out is seated as absent."""
        name, began = worker.model, time.monotonic()
        try:
            with batch_trace.worker_call(name, len(tensor)) as call:
                answer = await worker.answer(tensor, call.traceparent)
                call.answered(answer.version)
        except WorkerOut:
            self._metrics.abstained(name, "outage", len(tensor))
            nothing = Predictions.none(len(tensor))
            return WorkerVotes(name, None, nothing, nothing, "outage")
        self._metrics.called(name, len(tensor), time.monotonic() - began)
        raw = tempered(Predictions.of(answer.probs), 1)
        if unusable := int(np.count_nonzero(raw.label_ids == ABSTAINED)):
            self._metrics.abstained(name, "unusable", unusable)
        return WorkerVotes(name, answer.version, raw, raw)


def asked_about(texts: Sequence[bytes], count: VoteResult) -> TextTensor:
    """The texts of a count's tickets, out of those of the whole batch."""
    return TextTensor([texts[row] for row in count.rows.tolist()])
