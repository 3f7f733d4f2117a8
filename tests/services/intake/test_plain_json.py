"""How deep a ticket may nest, held against what can write it."""

import re
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from streamer.decide.sampling import Sampling
from streamer.records.judge_request import Ballot, Follower, JudgeRequest
from streamer.records.label import Position, Rule
from streamer.records.review import Review
from streamer.records.ticket import Ticket
from streamer.services.classify.task import Condition
from streamer.services.intake.plain_json import DEEPEST
from streamer.services.intake.ticket_reader import TicketReader
from tests.services.making import MakeHandler, votes
from tests.services.records import Rec, broken, ticket

PLACE = Position("s", "t", 0, 1)
DEFERRED, AGREED = votes(0, 1, 2), votes(2, 2)


def nested(levels: int, text: str = DEFERRED, inner: bytes = b"1", open: bytes = b"[") -> bytes:
    """A ticket that nests `levels` deep, itself counted."""
    opening = {b"[": b"[", b"{": b'{"a":'}[open] * (levels - 1)
    closing = {b"[": b"]", b"{": b"}"}[open] * (levels - 1)
    return b'{"id":"odd","text":"%b","x":' % text.encode() + opening + inner + closing + b"}"


def request(fields: dict[str, Any], followers: Sequence[Follower] = ()) -> JudgeRequest:
    ticket = Ticket("a", "b", "c", None, fields)
    rule = Rule("majority", 2, 3)
    return JudgeRequest(
        ticket,
        "t",
        "v",
        Ballot((), ()),
        rule,
        "d",
        0,
        "decide",
        PLACE,
        "c",
        "00-",
        tuple(followers),
    )


def review(fields: dict[str, Any]) -> Review:
    ticket = Ticket("a", "b", "c", None, fields)
    return Review(ticket, "t", ("a",), "v", "gold", None, None, (), None, "d", PLACE, "c")


@pytest.mark.parametrize("open", [b"[", b"{"])
def test_the_deepest_ticket_fits_into_the_deepest_of_our_records(open: bytes) -> None:
    fields = orjson.loads(nested(DEEPEST, open=open))
    TicketReader().ticket(Rec(nested(DEEPEST, open=open)))
    follower = Follower(("a",), request=request(fields))
    assert request(fields, [follower]).to_json()
    assert review(fields).to_json()


WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "deferred": (DEFERRED, {}),
    "audited": (AGREED, {"sampling": Sampling("salt", audit=1.0)}),
    "gold": (AGREED, {"sampling": Sampling("salt", gold=1.0)}),
    "logged": (AGREED, {"sampling": Sampling("salt", log=1.0)}),
    "followed": (
        DEFERRED,
        {"tasks": {"intent": None, "next": Condition(("billing",), task="intent")}},
    ),
    "agreed": (AGREED, {}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("open", [b"[", b"{"])
async def test_a_deeper_one_is_one_dead_letter_whichever_way_it_would_go(
    make: MakeHandler, way: str, open: bytes
) -> None:
    text, how = WAYS[way]
    deepest, deeper = (broken(nested(DEEPEST + n, text, open=open), b"k") for n in (0, 1))
    bottomless = broken(nested(1000, text, open=open), b"k")
    run = await make(**how).of(ticket(text), deeper, deepest, bottomless)
    assert [(letter.key, letter.value) for letter in run.dead] == [
        (b"k", deeper.value),
        (b"k", bottomless.value),
    ]
    assert {dict(letter.headers)["dead.reason"] for letter in run.dead} == {b"too_deep"}
    done = {item.record.offset for item in run.items if item not in run.dead}
    assert len(done) == 2
    assert deepest.offset in done


@pytest.mark.parametrize(
    "inner",
    [b'"' + b"[{" * 2500 + b'"', b'"' + b'\\"[' * 5000 + b'"', b"[" + b"{}," * 5000 + b"{}]"],
    ids=["in a text", "after quotes in a text", "side by side"],
)
async def test_brackets_that_nest_nothing_are_no_depth(make: MakeHandler, inner: bytes) -> None:
    run = await make().of(broken(nested(2, inner=inner)), broken(nested(2, AGREED, inner)))
    assert len(run.requests) == len(run.labels) == 1


async def test_a_text_of_brackets_is_labelled(make: MakeHandler) -> None:
    run = await make().of(ticket(AGREED + "[" * 5000), ticket(AGREED + "{" * 5000))
    assert len(run.labels) == 2


async def test_the_detail_says_how_deep_a_ticket_may_be(make: MakeHandler) -> None:
    (letter,) = (await make().of(broken(nested(600)))).dead
    assert re.search(rb"\b240\b", dict(letter.headers)["dead.error"])
