"""What a vote needs of a worker."""

from typing import Protocol

from streamer.workers.wire import TextTensor
from streamer.workers.worker import Answer


class Voter(Protocol):
    """Answers for the model of this name."""

    @property
    def model(self) -> str: ...

    async def answer(self, tensor: TextTensor, traceparent: str | None = None) -> Answer:
        """As `Worker.answer`."""
        ...
