"""One thing that is watched, as it is now."""

from dataclasses import dataclass
from typing import Literal

from streamer.records.alarm import AlarmKind

Severity = Literal["critical", "warning"]


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` held against `limit`.

    `out` says whether this is an alarm; None where it is one only if it was one before, so that
    values near the limit do not raise and clear it again and again. `since_ms` is when it began,
    where that is known. The rest is as in `records.alarm`.
    """

    kind: AlarmKind
    task: str | None
    subject: str | None
    severity: Severity
    value: float
    limit: float
    text: str
    out: bool | None
    since_ms: int | None = None
    false_alarm_every_s: float | None = None

    @property
    def id(self) -> tuple[str, str | None, str | None]:
        """What it is about."""
        return self.kind, self.task, self.subject


def held(value: float, limit: float, clears: float) -> bool | None:
    """Out above `limit`, not out up to `clears`, and in between as it was."""
    return True if value > limit else None if value > clears else False
