"""How far the monitor is with the stats topic."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streamer.errors import ConfigError
from streamer.stream.groups import committed
from streamer.stream.reading import Reader

if TYPE_CHECKING:
    from streamer.stream.clients import Clients

SETTLED_FOR_S = 10.0
STUCK_AFTER_S = 60.0


class Progress:
    """Where the monitor is, against the topic's end at the last look but one.

    Where it is not there yet, its sums are of the past: nothing can be said about now.
    """

    def __init__(self, topic: str, begin: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._place = TopicPartition(topic, 0)
        self._next = begin
        self._end: int | None = None
        self._clock = clock
        self._settled_at: float | None = None
        self._moved_at = clock()

    @classmethod
    async def of(cls, clients: "Clients", reader: Reader, topic: str, group: str) -> "Progress":
        """From where `group` has committed, or else the topic begins; raises `ConfigError` where
        the topic has more than one partition.
        """
        partition, *others = reader.partitions(topic)
        if others:
            raise ConfigError(
                f"topic {topic} has {1 + len(others)} partitions, and summaries must be read in "
                "order: make it anew with one"
            )
        (part,) = await reader.parts([partition], "earliest")
        async with clients.admin() as admin:
            offset = (await committed(admin, group)).get(partition, 0)
        return cls(topic, max(part.start, offset))

    def took(self, upto: int) -> None:
        """Everything before this offset is taken."""
        self._next = max(self._next, upto)
        self._moved_at = self._clock()

    async def look(self, reader: Reader) -> None:
        """Ask for the topic's end."""
        before = self._end
        try:
            (part,) = await reader.parts([self._place], "latest")
        except (KafkaError, TimeoutError):
            return
        self._end = part.end
        if self._next >= (part.end if before is None else before):
            self._settled_at = self._moved_at = self._clock()

    @property
    def behind(self) -> int:
        """Summaries that are not taken yet."""
        return max((self._end or 0) - self._next, 0)

    @property
    def settled(self) -> bool:
        """Whether it was up to date within the last seconds, and Kafka answered."""
        return self._settled_at is not None and self._clock() - self._settled_at <= SETTLED_FOR_S

    def late(self) -> str | None:
        """Why the sums are not those of now; None when they are."""
        if self.settled:
            return None
        return f"These sums are of the past: {self.behind} summaries are still to be read."

    def stuck(self) -> str | None:
        """Why the process should be restarted; None when it is fine."""
        silence = self._clock() - self._moved_at
        if self._end is not None and self.behind and silence > STUCK_AFTER_S:
            return f"no summary was taken for {silence:.0f} s, and {self.behind} wait"
        return None
