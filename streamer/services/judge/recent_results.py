"""What the judge has published lately, so that a repeat is answered alike and for nothing."""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from streamer.records.judge_request import JudgeRequest

Asked = tuple[str, str, int, str, str | None, bytes]


class Output(NamedTuple):
    """A record that was published."""

    topic: str
    key: bytes
    value: bytes


class RecentResults:
    """What the last `limit` requests led to; forgets the oldest first.

    A ticket may be asked about for several purposes, under another label set, and once more by a
    backfill; each is remembered apart. So is another ticket at the same place: after a topic was
    made again its offsets, and with them decision ids, come again for what was never asked about.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[Asked, tuple[Output, ...]] = OrderedDict()

    def recall(self, request: JudgeRequest) -> Sequence[Output] | None:
        """What was published for this request, or None."""
        return self._known.get(_asked(request))

    def keep(self, request: JudgeRequest, published: Sequence[Output]) -> None:
        """Remember what was published for this request."""
        self._known[_asked(request)] = tuple(published)
        while len(self._known) > self._limit:
            self._known.popitem(last=False)


def _asked(request: JudgeRequest) -> Asked:
    asked, ticket = (request.decision_id, request.label_set, request.revision), request.ticket
    return (
        *asked,
        request.purpose,
        request.backfill,
        _digest(ticket.id, ticket.created_at, ticket.text),
    )


def _digest(*texts: str) -> bytes:
    """What a ticket said, in 16 bytes: whole texts would fill the memory."""
    return blake2b("\0".join(texts).encode(errors="surrogatepass"), digest_size=16).digest()
