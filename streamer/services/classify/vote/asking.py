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


async def ask_worker(
    worker: Voter, tensor: TextTensor, batch_trace: BatchTrace, metrics: Metrics
) -> WorkerVotes:
    """What the worker says, raw; one that is out is absent. Both are counted."""
    name, began = worker.model, time.monotonic()
    try:
        with batch_trace.worker_call(name, len(tensor)) as call:
            answer = await worker.answer(tensor, call.traceparent)
            call.answered(answer.version)
    except WorkerOut:
        metrics.abstained(name, "outage", len(tensor))
        nothing = Predictions.none(len(tensor))
        return WorkerVotes(name, None, nothing, nothing, "outage")
    metrics.called(name, len(tensor), time.monotonic() - began)
    raw = tempered(Predictions.of(answer.probs), 1)
    if unusable := int(np.count_nonzero(raw.label_ids == ABSTAINED)):
        metrics.abstained(name, "unusable", unusable)
    return WorkerVotes(name, answer.version, raw, raw)


def asked_about(texts: Sequence[bytes], count: VoteResult) -> TextTensor:
    """The texts of a count's tickets, out of those of the whole batch."""
    return TextTensor([texts[row] for row in count.rows.tolist()])
