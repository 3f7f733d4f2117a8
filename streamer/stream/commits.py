"""Commits offsets of a consumer, and says whether Kafka took them."""

from collections.abc import Mapping
from typing import Any, Protocol

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from streamer.errors import BrokerError

MOVED = (CommitFailedError, IllegalStateError)


class Consumer(Protocol):
    """The part of aiokafka's consumer that is used; a value is an offset, or one with metadata."""

    async def commit(self, offsets: Mapping[TopicPartition, Any]) -> None: ...


class Commits:
    """The commits of one member of a group, without a word beside the offsets."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Whether Kafka took them; not where the partitions are somebody else's by now.

        Raises `BrokerError` where Kafka refuses.
        """
        return await self._send(offsets)

    async def leave(self) -> None:
        """Nothing of the partitions is in flight any more: they go to somebody else, or it ends."""

    def forget(self) -> None:
        """The topic was made again: what is known of its partitions is of the old one."""

    async def _send(self, offsets: Mapping[TopicPartition, Any]) -> bool:
        try:
            await self._consumer.commit(offsets)
        except MOVED:
            return False
        except KafkaError as error:
            raise BrokerError(
                f"Kafka refused a commit ({error!r}); what is done will come again. "
                "Run `streamer check --connect` for the group's rights, then restart"
            ) from error
        return True
