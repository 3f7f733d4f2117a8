"""Which dead letters are meant."""

from dataclasses import dataclass
from datetime import datetime

from streamer.errors import ConfigError
from streamer.services.inspect.letters import Letter, LetterPosition


@dataclass(frozen=True, slots=True)
class Selection:
    """Those at `places`, or all that every given filter takes; times are of the letter's death."""

    places: tuple[LetterPosition, ...] = ()
    reason: str | None = None
    task: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def filtered(self) -> bool:
        """Whether anything narrows it, besides places."""
        return any(value is not None for value in (self.reason, self.task, self.since, self.until))

    def takes(self, letter: Letter) -> bool:
        """Whether the letter is meant."""
        if self.places and (letter.partition, letter.offset) not in self.places:
            return False
        at = letter.timestamp / 1000
        return (
            self.reason in (None, letter.letter.reason)
            and self.task in (None, letter.task)
            and (self.since is None or at >= self.since.timestamp())
            and (self.until is None or at < self.until.timestamp())
        )

    def of(self, letters: list[Letter]) -> list[Letter]:
        """The meant ones; raises `ConfigError` where a place holds no letter."""
        there = {(letter.partition, letter.offset) for letter in letters}
        for place in self.places:
            if place not in there:
                raise ConfigError(
                    f"no dead letter at {place[0]}:{place[1]}: `streamer dead list --all` names "
                    "them, as far back as Kafka keeps them"
                )
        return [letter for letter in letters if self.takes(letter)]
