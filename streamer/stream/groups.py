"""How far a consumer group is."""

from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from streamer.errors import BrokerError


async def committed(admin: Any, group: str) -> dict[TopicPartition, int]:
    """The offsets that a group has committed; empty for one that doesn't exist.

    `admin` is a started admin client. Raises `BrokerError`.
    """
    return {partition: offset for partition, (offset, _) in (await noted(admin, group)).items()}


async def noted(
    admin: Any, group: str, partitions: Sequence[TopicPartition] | None = None
) -> dict[TopicPartition, tuple[int, str]]:
    """As `committed`, of some or all partitions, each offset with the metadata of its commit."""
    asked = None if partitions is None else list(partitions)
    try:
        commits = await admin.list_consumer_group_offsets(group, partitions=asked)
    except GroupCoordinatorNotAvailableError:
        # No group has ever committed anything on this Kafka.
        return {}
    except KafkaError as error:
        raise BrokerError(
            f"Kafka doesn't tell how far the group {group} is ({error!r}): look at the brokers' "
            "health and this user's rights"
        ) from error
    return {
        partition: (commit.offset, commit.metadata or "")
        for partition, commit in commits.items()
        if commit.offset >= 0
    }
