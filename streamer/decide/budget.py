"""How many judge calls may go: a token bucket, filled by tickets seen or by time."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShareCap:
    """At most this `share` of the tickets goes to the judge.

    What the last `burst` tickets left unused is kept. It is a process's own share of its own
    tickets, whatever part of the partitions it has.
    """

    share: float
    burst: float = 10_000

    def __post_init__(self) -> None:
        if not (0 < self.share <= 1 and self.burst >= 1):
            raise ValueError("a share is above 0 and up to 1, a burst at least one ticket")

    def income(self, tickets: int, seconds: float, part: float) -> float:
        """Judge calls that are earned by these tickets."""
        return self.share * tickets

    def capacity(self, part: float) -> float:
        """Judge calls that can be saved up."""
        return self.share * self.burst


@dataclass(frozen=True, slots=True)
class RateCap:
    """At most so many judge calls `per_second` over all processes.

    Each process has the part of it that it has of the partitions. What the last `burst` seconds
    left unused is kept.
    """

    per_second: float
    burst: float = 30

    def __post_init__(self) -> None:
        if not (0 < self.per_second < float("inf") and self.burst > 0):
            raise ValueError("a rate is finite and above 0, a burst longer than no time")

    def income(self, tickets: int, seconds: float, part: float) -> float:
        """Judge calls that are earned in this time by a process with this part."""
        return self.per_second * part * seconds

    def capacity(self, part: float) -> float:
        """Judge calls that can be saved up by a process with this part."""
        return self.per_second * part * self.burst


class JudgeBudget:
    """The state of one cap in one process, from `now` in seconds of any steady clock.

    It begins full. `suspended` holds from the first refusal until the bucket is filled to the
    fraction `resume_at`: what is promised of the rule does not hold meanwhile, and a mark that came
    and went with every batch would tell nobody.
    """

    def __init__(self, cap: ShareCap | RateCap, now: float, resume_at: float = 0.5) -> None:
        if not 0 < resume_at <= 1:
            raise ValueError("resume_at is a fraction of a full bucket, above 0 and up to 1")
        self._cap = cap
        self._resume_at = resume_at
        self._at = now
        self._full = 1.0
        self._level: float | None = None
        self._suspended = False

    @property
    def suspended(self) -> bool:
        """Whether calls were refused and the bucket has not recovered since."""
        return self._suspended

    @property
    def left(self) -> float:
        """How many calls may go at once, as of the last look; what is earned since comes on top."""
        return math.inf if self._level is None else self._level

    @property
    def spent(self) -> float:
        """The share of the bucket that is used, between 0 (full) and 1."""
        return 0.0 if self._level is None else 1 - self._level / self._full

    def allow(self, wanted: int, tickets: int, now: float, part: float = 1.0) -> int:
        """How many of the `wanted` judge calls may go, after seeing `tickets` more tickets.

        `part` is the share of all partitions that are assigned here. Over any stretch no more are
        allowed than were earned in it and saved before it.
        """
        # A part so small that it saves less than one call would never get any.
        full = self._full = max(1.0, self._cap.capacity(part))
        earned = self._cap.income(tickets, max(0.0, now - self._at), part)
        self._at = max(self._at, now)
        level = full if self._level is None else min(full, self._level + earned)
        allowed = min(wanted, int(level))
        self._level = level - allowed
        if allowed < wanted:
            self._suspended = True
        elif self._level >= self._resume_at * full:
            self._suspended = False
        return allowed
