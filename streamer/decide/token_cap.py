"""How many tokens a judge may be charged for: a cap per hour that holds in any hour."""

# The tenth that may be saved up is taken from the hour, so that saved and earned are never more.
_SAVED = 0.1
_HOUR = 3600.0
# Of a ticket, until the first one has been charged.
_GUESSED = 1000.0


class TokenCap:
    """The state of one cap in one process, from `now` in seconds of any steady clock.

    Nine tenths of `per_hour` flow in over an hour, and a tenth can be saved up; it begins full.
    What is asked and not charged yet counts with the mean of those before. `suspended` holds from
    the first refusal until half of what can be saved is there again.
    """

    def __init__(self, per_hour: float, now: float) -> None:
        if per_hour <= 0:
            raise ValueError("a cap is above 0")
        self._per_hour = per_hour
        self._at = now
        self._level = self._full = _SAVED * per_hour
        self._pending = 0
        self._charged = 0.0
        self._tickets = 0
        self._suspended = False

    @property
    def suspended(self) -> bool:
        """Whether tickets were refused and the cap has not recovered since."""
        return self._suspended

    @property
    def left(self) -> float:
        """Tokens that may be spent at once, as of the last look; below 0 where too many were."""
        return self._level

    @property
    def spent(self) -> float:
        """The share of what can be saved that is used, from 0 (full) to 1."""
        return min(max(1 - self._level / self._full, 0.0), 1.0)

    def acts(self, now: float, part: float = 1.0) -> bool:
        """As `suspended`, with what has come back by now; `part` as in `begin`."""
        self._earn(now, part)
        return self._suspended

    def begin(self, now: float, part: float = 1.0) -> bool:
        """Whether one more ticket may be asked about. `part` is the share of all processes' cap."""
        self._earn(now, part)
        mean = self._charged / self._tickets if self._tickets else _GUESSED
        # A part so small that it saves less than one ticket would never get any.
        if min(self._full, mean * (self._pending + 1)) > self._level:
            self._suspended = True
            return False
        self._pending += 1
        return True

    def _earn(self, now: float, part: float) -> None:
        self._full = _SAVED * self._per_hour * part
        income = (1 - _SAVED) * self._per_hour * part * max(0.0, now - self._at) / _HOUR
        self._at = max(self._at, now)
        self._level = min(self._full, self._level + income)
        if self._level >= self._full / 2:
            self._suspended = False

    def end(self, tokens: int) -> None:
        """A ticket that was begun is over, and was charged so many `tokens`."""
        self._pending -= 1
        self._level -= tokens
        self._charged += tokens
        self._tickets += tokens > 0
