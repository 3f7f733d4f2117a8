"""Times as RFC 3339 says them."""

from datetime import UTC, datetime
from functools import lru_cache

LAST_SECOND = 253_402_300_799


@lru_cache(maxsize=1024)
def _second(second: int) -> str:
    # A producer may stamp its record with any number, and none of them may stop the stream.
    second = min(max(second, 0), LAST_SECOND)
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=1024)
def rfc3339(ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC, from 1970 to the year 9999."""
    ms = max(ms, 0)
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


def milliseconds(moment: str) -> float | None:
    """An RFC 3339 time as milliseconds since the epoch; None where it is none."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000
