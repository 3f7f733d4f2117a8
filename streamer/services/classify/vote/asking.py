"""Asks one worker about some tickets."""

from collections.abc import Sequence
from functools import partial

from streamer.decide.predictions import Predictions
from streamer.decide.temperature import tempered
from streamer.decide.vote_result import VoteResult, WorkerVotes
from streamer.observe.batch_trace import BatchTrace
from streamer.workers.faults import WorkerOut
from streamer.workers.wire import TextTensor
from streamer.workers.worker import WorkerPort


async def ask_worker(
    worker: WorkerPort, tensor: TextTensor, batch_trace: BatchTrace
) -> WorkerVotes:
    """What the worker says, raw; one that is out is absent."""
    model = worker.model
    try:
        answer = await batch_trace.call(model, len(tensor), partial(worker.answer, tensor))
    except WorkerOut:
        nothing = Predictions.none(len(tensor))
        return WorkerVotes(model, None, nothing, nothing, "outage")
    raw = tempered(Predictions.of(answer.probs), 1)
    return WorkerVotes(model, answer.version, raw, raw)


def asked_about(texts: Sequence[bytes], vote_result: VoteResult) -> TextTensor:
    """The texts of a vote result's tickets, out of those of the whole batch."""
    return TextTensor([texts[row] for row in vote_result.rows.tolist()])
