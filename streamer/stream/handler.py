"""The contract between the engine, which owns offsets, and a handler, which owns meaning."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from streamer.stream.emission import Barrier, Emission, Settled
from streamer.stream.record import Record


class Handler(Protocol):
    """Turns a batch of input records into emissions.

    `handle` yields groups as soon as they are decided; each group is on its way to Kafka while
    the next one is worked out, unless there is a `Barrier` between them. Every input needs at least
    one emission or an explicit `Settled`; leaving one out is a `HandlerError`. Any exception stops
    the process with nothing of this batch committed, so a handler raises only for what a restart
    may mend.
    """

    def handle(
        self, batch: Sequence[Record]
    ) -> AsyncGenerator[Sequence[Emission | Settled] | Barrier, None]: ...
