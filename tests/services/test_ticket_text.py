"""What a ticket says, wherever it stands in the record."""

from typing import Any

import orjson
import pytest

from streamer.errors import TicketError
from streamer.services.intake.ticket_reader import TicketReader
from tests.services.making import MakeHandler, votes
from tests.services.records import Rec, ticket


def text(fields: dict[str, Any], *pointers: str) -> str:
    return TicketReader(text=pointers).ticket(Rec(orjson.dumps({"id": "a", **fields}))).text


def refused(fields: dict[str, Any], *pointers: str) -> str:
    with pytest.raises(TicketError) as found:
        text(fields, *pointers)
    assert found.value.reason == "no_text"
    return found.value.detail


MESSAGES = [
    {"body": "first"},
    {"body": None},
    {"from": "ann"},
    {"body": "second"},
    {"body": "third"},
]


@pytest.mark.parametrize(
    ("pointers", "joined"),
    [
        (["/lines"], "one\ntwo"),
        (["/title", "/lines"], "top\none\ntwo"),
        (["/title", "/none", "/number"], "top"),
        (["/title", "/empty"], "top\n"),
        (["/lines/2", "/title"], "two\ntop"),
        (["/messages/body"], "first\nsecond\nthird"),
        (["/messages/0/body"], "first"),
        (["/title", "/messages/body"], "top\nfirst\nsecond\nthird"),
        (["/title", "/deep/parts/words"], "top\na\nb\nc"),
        (["/title", "/nobody/parts"], "top"),
    ],
)
def test_texts_and_lists_of_them_are_joined(pointers: list[str], joined: str) -> None:
    fields = {
        "title": "top",
        "empty": "",
        "number": 5,
        "lines": ["one", None, "two"],
        "messages": MESSAGES,
        "deep": {"parts": [{"words": "a"}, "other", {"words": "b"}, {"words": "c"}]},
    }
    assert text(fields, *pointers) == joined


@pytest.mark.parametrize(
    ("pointer", "told"),
    [
        ("/articles", "a list with an object in it at /articles"),
        ("/mixed", "a list with a number in it at /mixed"),
        ("/zeros", "a list with a number in it at /zeros"),
        ("/nested", "a list with a list in it at /nested"),
        ("/html", "an object at /html"),
    ],
)
def test_what_holds_no_plain_texts_is_refused_also_beside_a_text(pointer: str, told: str) -> None:
    fields = {
        "title": "top",
        "articles": [{"body": "first"}],
        "mixed": ["one", 2],
        "zeros": [0, ""],
        "nested": [["one"], []],
        "html": {"raw": "<p>"},
    }
    assert told in refused(fields, "/title", pointer)
    assert told in refused(fields, pointer)


def test_what_was_found_in_place_of_a_text_is_told() -> None:
    fields = {"number": 5, "empty": "", "gone": None, "none": []}
    assert refused(fields, "/number", "/empty", "/gone", "/none") == (
        "a text is needed, found a number at /number, an empty text at /empty, nothing at /gone, "
        "a list at /none"
    )


@pytest.mark.parametrize(
    "unseen",
    [" \t\r\n", "\u200b\u200d\ufeff", "\u2060\u00ad\u202e", "\0\x1b", "\u3164\u115f", "\u2800",
     "\ufe0f\U000e0100", "\u0301", "\U000e0041", "\u2028\u00a0"],
)  # fmt: skip
def test_a_text_without_a_character_to_see_is_none(unseen: str) -> None:
    assert refused({"text": unseen}, "/text") == "no character of the text can be seen"
    assert refused({"text": unseen, "more": [unseen]}, "/text", "/more")
    assert text({"text": unseen, "more": "hello"}, "/text", "/more").endswith("\nhello")


@pytest.mark.parametrize(
    "seen", ["\u200b!", "\u0645\u200c\u0631", "\U0001f600", "e\u0301", "-", "\ue000"]
)
def test_any_character_to_see_is_a_text(seen: str) -> None:
    assert text({"text": seen}, "/text") == seen


async def test_a_metric_counts_the_tickets_without_a_text_behind_each_pointer(
    make: MakeHandler,
) -> None:
    def missing(pointer: str) -> bytes:
        return b'streamer_text_missing_total{pointer="%b"} ' % pointer.encode()

    run = make(text=("/text", "/body"))
    assert missing("/body") + b"0.0" in run.metrics.render()
    await run.of(*(ticket(votes(1, 1)) for _ in range(3)), ticket(votes(1, 1), body="and this"))
    await run.of(ticket("", body=votes(1, 1)), ticket("", body=5))
    found = run.metrics.render()
    assert missing("/text") + b"2.0" in found
    assert missing("/body") + b"4.0" in found
