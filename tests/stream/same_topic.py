"""A topic watch that has nothing to tell, or what a test says."""


class SameTopic:
    """Made again once `again` is called, or at the next look where `unnoticed` is set."""

    def __init__(self, first: int | None = None) -> None:
        self.stale: set[int] = set()
        self.unnoticed = False
        self.unread: dict[int, int] = {}
        self.first = first

    def again(self) -> None:
        self.stale = {0, 1, 2, 3}

    def is_added(self, partition: int) -> bool:
        return self.first is not None and partition >= self.first

    async def look(self) -> None:
        if self.unnoticed:
            self.again()
