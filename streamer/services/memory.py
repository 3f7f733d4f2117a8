"""What the judge has published lately, so that a repeat is answered alike and for nothing."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from streamer.records.judge_request import JudgeRequest

Asked = tuple[str, int, str, str | None]


class Output(NamedTuple):
    """A record that was published."""

    topic: str
    key: bytes
    value: bytes


class Memory:
    """What the last `limit` requests led to; forgets the oldest first.

    A ticket may be asked about for several purposes, and once more by a backfill; each is
    remembered apart.
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
    return request.decision_id, request.revision, request.purpose, request.backfill
