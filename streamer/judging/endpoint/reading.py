"""Long tickets for models whose tokens nobody here can count."""

from dataclasses import dataclass

from streamer.judging.llm.escape import escaped

# Of most texts a token has more. Some scripts have fewer characters in one: they cost more tokens.
_CHARACTERS_PER_TOKEN = 4
_GAP = "\n[...]\n"


@dataclass(frozen=True, slots=True)
class Reading:
    """Cuts tickets by characters as `Cutting` does by tokens; `budget` is in tokens."""

    budget: int

    def cut(self, text: str) -> tuple[str, bool]:
        """The text, or its head and tail, and whether something was left out."""
        room = self.budget * _CHARACTERS_PER_TOKEN
        if len(text) <= room:
            return text, False
        tail = room // 4
        return f"{text[: room - tail - len(_GAP)]}{_GAP}{text[-tail:]}", True

    def framed(self, text: str, around: tuple[str, str]) -> tuple[str, bool]:
        """As `cut`, with what stands around a ticket, which the text can't leave."""
        before, after = around
        kept, cut = self.cut(escaped(text))
        return f"{before}{kept}{after}", cut
