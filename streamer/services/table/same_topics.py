"""The table's two topics, which must stay the ones that it began with."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError

from streamer.errors import ConfigError
from streamer.stream.topic_state import TopicState, topic_state

if TYPE_CHECKING:
    from streamer.stream.clients import Clients

EVERY_S = 5.0


class SameTopics:
    """Notices partitions that were added, by which keys have moved, and a topic made again.

    Make one by `SameTopics.of`.
    """

    def __init__(self, admin: Any, topics: Sequence[str]) -> None:
        self._admin = admin
        self._topics = topics
        self._known: dict[str, TopicState] = {}

    @classmethod
    @asynccontextmanager
    async def of(cls, clients: "Clients", topics: Sequence[str]) -> AsyncIterator["SameTopics"]:
        """With an admin client of its own meanwhile."""
        async with clients.admin() as admin:
            topics_now = cls(admin, topics)
            await topics_now.look()
            yield topics_now

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Ask now; raises `ConfigError` where a topic isn't as at the first look.

        Kafka may be away meanwhile, and a topic may be gone for a moment.
        """
        for topic in self._topics:
            try:
                state = await topic_state(self._admin, topic)
            except KafkaError:
                continue
            if state is not None:
                _refuse_another(topic, state, self._known.setdefault(topic, state))


def _refuse_another(topic: str, state: TopicState, before: TopicState) -> None:
    if state.id != before.id:
        raise ConfigError(
            f"{topic} was made again: stop the table everywhere, then run `streamer table "
            "--rebuild`"
        )
    if state.partitions > before.partitions:
        raise ConfigError(
            f"{topic} has {state.partitions} partitions and had {before.partitions}: keys have "
            "moved. Stop the table everywhere, give both its topics the same number, then run "
            "`streamer table --rebuild`"
        )
