"""What a commit says beside its offset about the records after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

# Kafka takes 4096 bytes of metadata; an entry has at most 25.
KEPT = 100


@dataclass(frozen=True, slots=True)
class Note:
    """Records before the offset `open` may be in flight; `tried` counts, by offset, how often one
    was begun alone and not finished. An orderly end leaves neither.
    """

    open: int = 0
    tried: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Note":
        """From a commit's metadata. What is not ours says nothing."""
        try:
            note = orjson.loads(text)
            tried = {int(offset): int(count) for offset, count in note["tried"].items()}
            return cls(int(note["open"]), tried)
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def text(self) -> str:
        """For a commit's metadata; empty where there is nothing to say."""
        if not self.open and not self.tried:
            return ""
        tried = {str(offset): self.tried[offset] for offset in sorted(self.tried)[:KEPT]}
        return orjson.dumps({"open": self.open, "tried": tried}).decode()
