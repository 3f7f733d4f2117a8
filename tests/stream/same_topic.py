"""A topic watch that has nothing to tell, or what a test says."""


class SameTopic:
    """Made again once `again` is set: from then on, or at the next look."""

    def __init__(self, partitions: int = 100, first: int | None = None) -> None:
        self.made_again = False
        self.again = False
        self.unread: dict[int, int] = {}
        self.partitions = partitions
        self.first = first

    def has(self, partition: int) -> bool:
        return partition < self.partitions

    def is_added(self, partition: int) -> bool:
        return self.first is not None and partition >= self.first

    async def look(self) -> None:
        self.made_again = self.made_again or self.again
