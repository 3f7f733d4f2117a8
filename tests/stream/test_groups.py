from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, GroupCoordinatorNotAvailableError

from streamer.errors import BrokerError
from streamer.stream.groups import committed, noted

ONE, OTHER, NEW = (TopicPartition("tickets", number) for number in range(3))


class Admin:
    """The group `mine` has committed two of three partitions."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked: list[Any] = []
        self._failure = failure

    async def list_consumer_group_offsets(
        self, group: str, partitions: Sequence[TopicPartition] | None = None
    ) -> dict[TopicPartition, Any]:
        self.asked.append((group, partitions))
        if self._failure is not None:
            raise self._failure
        kept = {ONE: (0, None), OTHER: (7, "note"), NEW: (-1, "")}
        return {
            place: SimpleNamespace(offset=at, metadata=note) for place, (at, note) in kept.items()
        }


async def test_what_was_never_committed_is_left_out() -> None:
    admin = Admin()
    assert await committed(admin, "mine") == {ONE: 0, OTHER: 7}
    assert await noted(admin, "mine", (OTHER,)) == {ONE: (0, ""), OTHER: (7, "note")}
    assert admin.asked == [("mine", None), ("mine", [OTHER])]


async def test_where_no_group_ever_committed_there_is_nothing() -> None:
    assert await committed(Admin(GroupCoordinatorNotAvailableError()), "mine") == {}


async def test_a_refusal_names_the_group_and_what_to_look_at() -> None:
    with pytest.raises(BrokerError, match=r"how far the group mine is .* look at"):
        await noted(Admin(GroupAuthorizationFailedError()), "mine")
