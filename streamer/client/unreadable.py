"""A record of the labels topic that is no label."""

from streamer.errors import StreamerError


class UnreadableLabel(StreamerError):
    """Somebody wrote what this release can't read: `field` names where it is odd, dotted.

    It is empty where the value is no JSON object at all.
    """

    def __init__(self, topic: str, partition: int, offset: int, field: str, why: str) -> None:
        super().__init__(
            f"{topic}[{partition}]@{offset} is no label: {why}. Give `labels` an `on_unreadable` "
            "to pass over such records, and look at who writes to the topic"
        )
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.field = field
