"""Single records of the table's own topic, where their bytes are needed again."""

from aiokafka import TopicPartition

from streamer.services.table.shelves import Shelved
from streamer.stream.reading import Reader


class Kept:
    """Looks a key's last record up: on its way still, or in Kafka."""

    def __init__(self, reader: Reader, topic: str) -> None:
        self._reader = reader
        self._topic = topic

    async def body(self, partition: int, held: Shelved, key: bytes) -> bytes | None:
        """What was written last of a key; None where nothing is known of it.

        Raises `BrokerError` where Kafka stops answering.
        """
        if (fresh := held.fresh.get(key)) is not None:
            return fresh.body
        if (offset := held.shelf.offset(key)) is None:
            return None
        record = await self._reader.record(TopicPartition(self._topic, partition), offset)
        return None if record is None or record.key != key else record.value
