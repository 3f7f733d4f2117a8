"""Which dead letters are meant."""

from dataclasses import dataclass
from datetime import datetime

from streamer.errors import ConfigError
from streamer.services.inspect.letters import Letter, LetterPosition


@dataclass(frozen=True, slots=True)
class Selection:
    """Those at `positions`, or all that every filter takes; times are of the letter's death."""

    positions: tuple[LetterPosition, ...] = ()
    reason: str | None = None
    task: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def filtered(self) -> bool:
        """Whether anything narrows it, besides positions."""
        return any(value is not None for value in (self.reason, self.task, self.since, self.until))

    def takes(self, letter: Letter) -> bool:
        """Whether the letter is meant."""
        if self.positions and (letter.partition, letter.offset) not in self.positions:
            return False
        died_s = letter.timestamp / 1000
        return (
            self.reason in (None, letter.letter.reason)
            and self.task in (None, letter.task)
            and (self.since is None or died_s >= self.since.timestamp())
            and (self.until is None or died_s < self.until.timestamp())
        )

    def of(self, letters: list[Letter]) -> list[Letter]:
        """The meant ones; raises `ConfigError` where a position holds no letter."""
        there = {(letter.partition, letter.offset) for letter in letters}
        for position in self.positions:
            if position not in there:
                raise ConfigError(
                    f"no dead letter at {position[0]}:{position[1]}: `streamer dead list --all` "
                    "names them, as far back as Kafka keeps them"
                )
        return [letter for letter in letters if self.takes(letter)]
