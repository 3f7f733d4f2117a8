"""What may come back instead of an answer."""

from typing import Literal

Failure = Literal["unreachable", "lost", "late", "error", "unusable"]
"""Not connected; the connection lost with the request on it; no answer in time; an error of the
server's own; an answer that is none."""


class Busy(Exception):
    """It asks to be left alone for so many seconds; None where it does not say how many."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__("it asks for fewer requests")
        self.seconds = seconds


class Failed(Exception):
    """No answer, for no reason that lies in the request as far as one can see."""

    def __init__(self, kind: Failure, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class Refused(Exception):
    """The request is refused, by an HTTP status of 300 to 499 or 501: the same one would be again.

    `said` is the server's own message. It may quote a ticket: for requests of our own alone.
    """

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.said = said
