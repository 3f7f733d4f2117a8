"""Which ticket a record is about, whoever wrote its id or the key of its deletion."""

import logging
import unicodedata
from dataclasses import replace

import orjson
import pytest

from streamer.errors import TicketError
from streamer.records.label import Label
from streamer.services.intake.ticket_reader import TicketReader
from tests.services.making import MakeHandler, votes
from tests.services.records import Rec, broken, ticket

SECRET = "a4111"


def read(value: object, pointer: str = "/id") -> str:
    return TicketReader(id=pointer).ticket(Rec(orjson.dumps(value))).id


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (b"4711", "4711"),
        (b"4711.0", "4711"),
        (b"4.711e3", "4711"),
        (b"-0.0", "0"),
        (b"9007199254740991.0", "9007199254740991"),
        (b"18446744073709551615", "18446744073709551615"),
        (b'" 4711.0 "', " 4711.0 "),
    ],
)
def test_a_whole_number_is_an_id_however_it_is_written(written: bytes, read_as: str) -> None:
    record = Rec(b'{"id": %b, "text": "hello"}' % written)
    assert TicketReader().ticket(record).id == read_as


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"1.5", "a number that is no whole one"),
        (b"123456789012345678901234567890", "a number too large"),
        (b"true", "true or false"),
        (b"null", "nothing"),
        (b'""', "an empty text"),
        (b'" "', "a text in which nothing can be seen"),
        (b'"\\u200b"', "a text in which nothing can be seen"),
        (b'{"a4111": 1}', "an object"),
        (b'["a4111"]', "a list"),
    ],
)
def test_what_is_no_id_is_told_with_its_place_and_without_its_value(
    written: bytes, told: str
) -> None:
    with pytest.raises(TicketError) as refused:
        TicketReader(id="/ticket/id").ticket(Rec(b'{"ticket": {"id": %b}, "text": "b"}' % written))
    assert refused.value.reason == "no_id"
    assert refused.value.detail == f"an id is needed, found {told} at /ticket/id"
    assert SECRET not in refused.value.detail


def test_composed_and_decomposed_ids_are_two_tickets_as_their_keys_are() -> None:
    composed, apart = (unicodedata.normalize(form, "caf\xe9-1") for form in ("NFC", "NFD"))
    assert read({"id": composed, "text": "b"}) == composed
    assert read({"id": apart, "text": "b"}) == apart
    assert TicketReader().deleted(Rec(None, apart.encode())) == apart != composed


@pytest.mark.parametrize(
    ("pointer", "key", "ticket_id"),
    [
        ("/id", b"tb-2", "tb-2"),
        ("/id", b'{"id": "tb-2"}', "tb-2"),
        ("/id", b' {"id":4711}', ' {"id":4711}'),
        ("/id", b'{"id":4711.0}', "4711"),
        ("/ticket/id", b'{"ticket": {"id": "tb-2"}, "tenant": 5}', "tb-2"),
        ("/after/id", b'{"id": "tb-2"}', "tb-2"),
        ("/id", b'{"schema": {"type": "struct"}, "payload": {"id": "tb-2"}}', "tb-2"),
        ("/id", b'{"schema": {"type": "string"}, "payload": "tb-2"}', "tb-2"),
        ("/id", b'"tb-2"', "tb-2"),
        ("/id", b"{4F8E-22}", "{4F8E-22}"),
        ("/id", b"[EXT] 5", "[EXT] 5"),
        ("/id", b'"quoted', '"quoted'),
        ("/id", "caf\xe9".encode(), "caf\xe9"),
    ],
)
async def test_a_deletion_is_of_the_id_in_its_key(
    make: MakeHandler, pointer: str, key: bytes, ticket_id: str
) -> None:
    run = await make(id=pointer).of(broken(None, key))
    assert [(item.key, item.value) for item in run.to("labels")] == [
        (f"{ticket_id}/intent".encode(), None)
    ]


@pytest.mark.parametrize(
    "key",
    [
        None,
        b"",
        b"\xff",
        b"\0\0\0\0\x05\x08tb-2",
        b'{"tenant": 5, "number": "tb-2"}',
        b'{"id": {"a": 1}}',
        b'{"id": true}',
        b"{}",
        b'["tb-2"]',
        b'""',
        b'{"schema": null, "payload": null}',
        b"a" * 513,
    ],
)
async def test_a_deletion_whose_key_names_no_ticket_is_a_dead_letter_and_not_counted(
    make: MakeHandler, key: bytes | None
) -> None:
    run = await make().of(ticket(votes(2, 2)), broken(None, key))
    (letter,) = run.dead
    assert (letter.key, letter.value) == (key, None)
    assert dict(letter.headers)["dead.reason"] == b"no_id"
    assert len(run.labels) == 1
    assert b"streamer_tombstones_total 0.0" in run.metrics.render()


async def test_the_decoder_is_asked_about_a_key_that_is_neither_text_nor_json(
    make: MakeHandler,
) -> None:
    def decode(key: bytes | None, value: bytes, headers: object) -> dict[str, str]:
        assert value == b""
        assert key is not None
        return {"id": key[5:].decode()}

    binary, plain = broken(None, b"\0\0\0\0\x05tb-2"), broken(None, b"tb-3")
    run = await make(decoder=decode).of(binary, plain)
    assert [item.key for item in run.to("labels")] == [b"tb-2/intent", b"tb-3/intent"]


async def test_a_key_that_is_not_the_id_is_told_once(
    make: MakeHandler, caplog: pytest.LogCaptureFixture
) -> None:
    sound = [ticket(votes(1, 1)) for _ in range(3)]
    alike = replace(sound[0], key=b'{"id": "t%d"}' % sound[0].offset, offset=sound[0].offset)
    run = make()
    with caplog.at_level(logging.WARNING):
        await run.of(*sound, alike, replace(sound[1], key=None))
        assert caplog.records == []
        await run.of(*(replace(one, key=SECRET.encode()) for one in sound))
    (told,) = caplog.records
    assert f"tickets[0]@{sound[0].offset} has another key" in told.getMessage()
    assert SECRET not in told.getMessage()
    assert all(isinstance(label, Label) for label in run.labels)
