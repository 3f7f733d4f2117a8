"""Whether a request that fails again and again is at fault, or the endpoint is."""

from streamer.errors import TicketError
from streamer.judging.endpoint.faults import Failed, Refused
from streamer.judging.judge import EngineDead

# A server that fails half of all requests by chance would have to fail this one, and answer the one
# that is asked in between, ten times in turn: once in a million.
_FAILED = 10
_REFUSED = 2
# As many ends in a row as no chance makes, and as few as a shared server can bear.
_DEADLY = 3
_LATE = 10


class Blame:
    """What became of one request so far.

    After each failure the endpoint is asked what it could answer before. Where it can, the fault is
    the request's own; where it can't, the two went out of service together, or one by the other.
    """

    def __init__(self) -> None:
        self.failures = 0
        self._failed = self._refused = self._deadly = self._late = 0

    def take(self, error: Failed | Refused, well: bool) -> None:
        """Another failure, and whether the endpoint was `well` right after it.

        Raises `TicketError` where only this request fails, and `EngineDead` where the endpoint went
        out of service with it each time: then it is tried alone.
        """
        self.failures += 1
        if isinstance(error, Refused):
            self._refused += well
        elif well:
            self._failed += 1
        elif error.kind == "late":
            self._late += 1
        elif error.kind in ("lost", "error"):
            self._deadly += 1
        if self._refused >= _REFUSED:
            raise TicketError("refused_by_the_judge", _words(error, "refuses"))
        if self._failed >= _FAILED:
            raise TicketError("failed_at_the_judge", _words(error, "fails at"))
        if self._deadly >= _DEADLY or self._late >= _LATE:
            raise EngineDead(
                f"the judge's endpoint went out of service {self._deadly or self._late} times"
                f" while it was asked about the same ticket ({error}); the process must exit"
                " without committing and be started again, to ask about each ticket alone"
            )


def _words(error: Exception, what: str) -> str:
    return (
        f"the judge's endpoint {what} this ticket and answers others ({error}); look into its log, "
        "and replay the dead letter once the cause is mended"
    )
