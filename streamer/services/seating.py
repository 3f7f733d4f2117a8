"""Asks one worker about some tickets, and tempers what it says."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from streamer.decide.opinion import ABSTAINED, Opinion
from streamer.decide.temperature import tempered
from streamer.observe.batch_trace import BatchTrace
from streamer.observe.metrics import Metrics
from streamer.services.counts import Count, Seat
from streamer.workers.faults import WorkerOut
from streamer.workers.voter import Voter
from streamer.workers.wire import TextTensor


class Seating:
    """Seats workers at a vote; `temperatures` are theirs by name, where they were calibrated."""

    def __init__(self, metrics: Metrics, temperatures: Mapping[str, float] | None = None) -> None:
        self._metrics = metrics
        self._temperatures = temperatures or {}

    async def seat(self, worker: Voter, tensor: TextTensor, calls: BatchTrace) -> Seat:
        """What the worker says; one that is out is seated as absent."""
        name, began = worker.model, time.monotonic()
        try:
            with calls.worker_call(name, len(tensor)) as call:
                answer = await worker.answer(tensor, call.traceparent)
                call.answered(answer.version)
        except WorkerOut:
            self._metrics.abstained(name, "outage", len(tensor))
            nothing = Opinion.none(len(tensor))
            return Seat(name, None, nothing, nothing, "outage")
        self._metrics.called(name, len(tensor), time.monotonic() - began)
        raw = tempered(Opinion.of(answer.probs), 1)
        if unusable := int(np.count_nonzero(raw.codes == ABSTAINED)):
            self._metrics.abstained(name, "unusable", unusable)
        temperature = self._temperatures.get(name)
        opinion = raw if temperature is None else tempered(raw, temperature)
        return Seat(name, answer.version, opinion, raw)

    async def beside(
        self, workers: Sequence[Voter], texts: Sequence[bytes], count: Count, calls: BatchTrace
    ) -> Count:
        """The same with these workers' seats beside; one that is out is not waited for."""
        some = TextTensor([texts[row] for row in count.rows.tolist()])
        seats = await asyncio.gather(*(self.seat(worker, some, calls) for worker in workers))
        return replace(count, beside=(*count.beside, *seats))
