"""When so many die of one reason that no record can be at fault."""

import pytest

from streamer.errors import ConfigError
from streamer.services.classify.failing import Failing
from tests.services.making import MakeHandler, votes
from tests.services.records import Rec, broken, ticket


def look(failing: Failing, died: str, at_once: int = 1) -> None:
    """Of a text like "aa.b" each letter is a reason, and a dot a record that lived."""
    for at in range(0, len(died), at_once):
        some = died[at : at + at_once]
        failing.look({n: reason for n, reason in enumerate(some) if reason != "."}, len(some))


@pytest.mark.parametrize("at_once", [1, 7, 200, 1000])
@pytest.mark.parametrize(
    "died",
    [
        "a" * 101 + "." * 99,
        "." * 99 + "a" * 101,
        "." * 5000 + "a." * 99 + "aaa",
        "ab" * 80 + "a" * 60,
    ],
)
def test_more_than_half_of_200_in_a_row(died: str, at_once: int) -> None:
    with pytest.raises(ConfigError, match=r"of the last 200 tickets died of one reason, a\b"):
        look(Failing(0.5), died, at_once)


@pytest.mark.parametrize("at_once", [1, 7, 200, 1000])
@pytest.mark.parametrize(
    "died",
    ["a" * 199, "a" * 100 + "." * 100, "a." * 1000, "ab" * 1000, ("a" * 100 + "." * 100) * 9],
)
def test_half_of_them_or_fewer_records_say_nothing(died: str, at_once: int) -> None:
    look(Failing(0.5), died, at_once)


def test_it_can_be_switched_off() -> None:
    look(Failing(1), "a" * 5000, 500)


async def test_nothing_of_the_batch_is_written(make: MakeHandler) -> None:
    run = make(decoder=lambda *_: {}["ticket"])
    with pytest.raises(ConfigError, match=r"decoder_failed \(KeyError\)"):
        await run.of(*(broken(b"odd") for _ in range(200)))
    assert run.items == []


async def test_letters_that_were_sent_again_stop_nothing(make: MakeHandler) -> None:
    again = [Rec(b"odd", offset=n, headers=[("dead.attempt", b"1")]) for n in range(400)]
    run = await make().of(*again, ticket(votes(1, 1)))
    assert len(run.dead) == 400
    assert len(run.labels) == 1
