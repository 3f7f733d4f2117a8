"""The topic that the monitor reads, which must stay the one that it began to read."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError

from streamer.errors import BrokerError
from streamer.stream.topic_state import TopicState, topic_state

if TYPE_CHECKING:
    from streamer.stream.clients import Clients

EVERY_S = 5.0


class StatsTopic:
    """Notices more partitions, whose summaries would stay unread, and a topic that was made again.

    Make one by `StatsTopic.of`.
    """

    def __init__(self, admin: Any, topic: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._admin = admin
        self._topic = topic
        self._clock = clock
        self._known: TopicState | None = None
        self._due = clock()

    @classmethod
    @asynccontextmanager
    async def of(cls, clients: "Clients", topic: str) -> AsyncIterator["StatsTopic"]:
        """With an admin client of its own meanwhile."""
        async with clients.admin() as admin:
            yield cls(admin, topic)

    async def check(self) -> None:
        """Ask every five seconds; raises `BrokerError` where it is not as at first.

        The process ends by that: started again, it takes the new topic's summaries, or says what is
        wrong with it. Kafka may be away meanwhile.
        """
        if self._clock() < self._due:
            return
        self._due = self._clock() + EVERY_S
        try:
            state = await topic_state(self._admin, self._topic)
        except KafkaError:
            return
        self._known = self._known or state
        if state is not None and state != self._known:
            raise BrokerError(
                f"topic {self._topic} was made again, or has more partitions now: start the"
                " monitor again"
            )
