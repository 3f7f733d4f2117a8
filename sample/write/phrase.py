"""From a line of the grammar to a sentence of one ticket."""

import re

from sample.write.dice import Dice
from sample.write.grammar import Sections

_CHOICE = re.compile(r"<([^<>]*)>")
_SLOT = re.compile(r"\{(\w+)\}")
_SENTENCE_START = re.compile(r"(^|[.?!] )([a-z])")
# Counts and durations differ within a ticket; a person, a product or a sum stays the same.
_FRESH_EACH_TIME = {"n", "number", "secs"}


class Phrase:
    """Fills ``<a|b>`` choices and ``{slots}``; a slot keeps its filling for the whole ticket."""

    def __init__(self, slots: Sections, dice: Dice) -> None:
        self._slots = slots
        self._dice = dice
        self._filled: dict[str, str] = {}

    def say(self, line: str) -> str:
        """The line with everything filled in, its sentences beginning with a capital."""
        chosen = _CHOICE.sub(lambda found: self._dice.pick(found[1].split("|")), line)
        filled = _SLOT.sub(lambda found: self._fill(found[1]), chosen).strip()
        return _SENTENCE_START.sub(lambda found: found[1] + found[2].upper(), filled)

    def _fill(self, slot: str) -> str:
        if slot in self._filled:
            return self._filled[slot]
        value = self._dice.pick(self._slots[slot])
        if slot not in _FRESH_EACH_TIME:
            self._filled[slot] = value
        return value
