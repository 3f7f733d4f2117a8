"""Long tickets: the head and the tail are read, the middle is left out."""

from dataclasses import dataclass

# Far more characters than one token has in any real text: what lies beyond them could only be
# tokenised to be thrown away, and a ticket of megabytes would hold up its whole batch.
_CHARACTERS_PER_TOKEN = 16


@dataclass(frozen=True, slots=True)
class Cutting:
    """Cuts to `budget` tokens; `gap` stands where something was left out, and counts."""

    budget: int
    gap: tuple[int, ...] = ()

    def shortened(self, text: str) -> str:
        """Text of bounded length, with the same head and tail of tokens."""
        room = self.budget * _CHARACTERS_PER_TOKEN
        if len(text) <= 2 * room:
            return text
        return f"{text[:room]} {text[-room:]}"

    def fitted(self, ids: list[int]) -> list[int]:
        """The ids where they fit, else three quarters of the budget's head and a quarter's tail.

        Tickets open with what they are about; what is wanted often stands at the end.
        """
        if len(ids) <= self.budget:
            return ids
        room = self.budget - len(self.gap)
        tail = self.budget // 4
        return [*ids[: room - tail], *self.gap, *ids[len(ids) - tail :]]
