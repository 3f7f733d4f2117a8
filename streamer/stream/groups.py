"""How far a consumer group is."""

from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from streamer.errors import BrokerError


async def committed(admin: Any, group: str) -> dict[TopicPartition, int]:
    """The offsets that a group has committed; empty for one that doesn't exist.

    `admin` is a started admin client. Raises `BrokerError`.
    """
    try:
        found = await admin.list_consumer_group_offsets(group)
    except GroupCoordinatorNotAvailableError:
        # No group has ever committed anything on this Kafka.
        return {}
    except KafkaError as error:
        raise BrokerError(
            f"Kafka doesn't tell how far the group {group} is ({error!r}): look at the brokers' "
            "health and this user's rights"
        ) from error
    return {place: at.offset for place, at in found.items() if at.offset >= 0}
