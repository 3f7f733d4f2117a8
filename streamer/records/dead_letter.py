"""Why and where from: the headers that a dead letter carries beside the original record."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

Header = tuple[str, bytes]

PREFIX = "dead."


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The reason for which an input could not be processed, and its place.

    The dead letter's key, value and own headers are the input's, byte for byte. `truncated` says
    that the value was too large to copy: then it holds the first 64 KiB and `sha256` is that of
    the whole value. `at` is RFC 3339 in UTC.
    """

    reason: str
    error: str
    topic: str
    partition: int
    offset: int
    at: str
    truncated: bool = False
    sha256: str | None = None

    def headers(self) -> list[Header]:
        """This record as Kafka headers, all under `dead.`."""
        return [
            (
                PREFIX + name,
                str(value).lower().encode()
                if value is True or value is False
                else str(value).encode(),
            )
            for name, value in asdict(self).items()
            if value is not None
        ]

    @classmethod
    def from_headers(cls, headers: Sequence[Header]) -> "DeadLetter":
        """The newest reason on a record; raises `KeyError` where there is none."""
        found: dict[str, str] = {}
        for name, value in headers:
            if name == PREFIX + "reason":
                # Of an older letter nothing may be left, such as the hash of a value cut then.
                found.clear()
            if name.startswith(PREFIX):
                found[name.removeprefix(PREFIX)] = value.decode()
        return cls(
            reason=found["reason"],
            error=found["error"],
            topic=found["topic"],
            partition=int(found["partition"]),
            offset=int(found["offset"]),
            at=found["at"],
            truncated=found["truncated"] == "true",
            sha256=found.get("sha256"),
        )
