"""The table's consumer group while none of its tables runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from streamer.errors import BrokerError, ConfigError
from streamer.stream.groups import noted

if TYPE_CHECKING:
    from streamer.stream.clients import Clients

# Beside a commit: from here on a rebuild writes, and the table may not.
_REBUILDING = "rebuilding"


@dataclass(frozen=True, slots=True)
class Group:
    """Where the tables go on in the partitions of `labels`, and whether they may.

    A rebuild is noted with the commits: what is noted when none runs was broken off, and the
    table's topic holds a part of what it wrote. All methods raise `BrokerError` where Kafka
    refuses.
    """

    clients: "Clients"
    name: str
    labels: Sequence[TopicPartition]

    async def refuse_members(self) -> None:
        """Raises `ConfigError` where a table runs."""
        try:
            async with self.clients.admin() as admin:
                answers = await admin.describe_consumer_groups([self.name])
        except GroupCoordinatorNotAvailableError:
            return  # no group has ever committed anything on this Kafka
        except KafkaError as error:
            raise BrokerError(
                f"Kafka doesn't tell who is in the group {self.name} ({error!r}): look at this "
                "user's rights"
            ) from error
        members = [member for answer in answers for group in answer.groups for member in group[5]]
        if members:
            raise ConfigError(f"{len(members)} tables are running as {self.name}: stop them first")

    async def half_rebuilt(self) -> set[TopicPartition]:
        """The partitions of which a rebuild is noted that did not end."""
        async with self.clients.admin() as admin:
            commits = await noted(admin, self.name, self.labels)
        return {partition for partition, (_, note) in commits.items() if note == _REBUILDING}

    async def begin_rebuild(self) -> None:
        """Note that a rebuild writes from here on."""
        await self._commit(dict.fromkeys(self.labels, (0, _REBUILDING)))

    async def end_rebuild(self, ends: Mapping[TopicPartition, int]) -> None:
        """Have the tables go on at these offsets."""
        await self._commit({partition: (end, "") for partition, end in ends.items()})

    async def _commit(self, offsets: Mapping[TopicPartition, tuple[int, str]]) -> None:
        consumer = AIOKafkaConsumer(
            **self.clients.connection.options(), group_id=self.name, enable_auto_commit=False
        )
        async with self.clients.started(consumer):
            consumer.assign(list(offsets))
            try:
                await consumer.commit(offsets)
            except KafkaError as error:
                raise BrokerError(
                    f"Kafka doesn't take the commit of {self.name} ({error!r}): look at this "
                    "user's rights, and whether a table was started meanwhile"
                ) from error
