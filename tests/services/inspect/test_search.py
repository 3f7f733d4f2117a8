"""What a search makes of a letter that nothing can be read of."""

from collections.abc import Callable
from typing import NoReturn

import pytest

from streamer.config.kafka import Topics
from streamer.errors import TicketError, Unavailable
from streamer.services.inspect.search import Sought
from streamer.services.intake.ticket_reader import TicketReader
from streamer.stream.dead_letters import DeadLetters
from tests.services.records import Rec


def failing(error: Exception) -> Callable[..., NoReturn]:
    def decode(*record: object) -> NoReturn:
        raise error

    return decode


@pytest.mark.parametrize("error", [ConnectionRefusedError(), Unavailable("away"), KeyError()])
def test_a_decoder_that_fails_ends_no_search(error: Exception) -> None:
    topics = Topics()
    sought = Sought("T1", ["intent"], TicketReader(decoder=failing(error)), topics)
    died = DeadLetters(topics.dead, 2**20).emission(
        Rec(b"T1 is in it", b"k", 7, topic=topics.tickets), TicketError("unreadable", "x")
    )
    letter = Rec(died.value, died.key, 3, topic=topics.dead, headers=died.headers)
    assert not sought.concerned(letter)
    assert sought.unread == [f"{letter.partition}:3"]
    lying = Rec(b"T1", b"T1", 8, topic=topics.tickets)
    assert sought.occurrence(lying, text=True).problem is not None
