"""Whatever a decoder of the user's does costs its own record at most."""

import asyncio
import errno
import gzip
import logging
import re
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import orjson
import pytest
from aiokafka.errors import KafkaConnectionError

from streamer.errors import BrokerError, TicketError, Unavailable
from streamer.services.classify import door
from streamer.services.intake.ticket_reader import TicketReader
from tests.services.making import MakeHandler, votes
from tests.services.records import Rec, broken, ticket

DOCS = Path(__file__).parents[3] / "docs"
SECRET = "my card is 4111"


class _Odd(Exception):
    def __str__(self) -> str:
        raise LookupError


class _OddValue(ValueError):
    def __str__(self) -> str:
        raise LookupError


class _Panic(BaseException):
    """What Rust's panics are raised as, by libraries that are written in it."""


class _RequestFailed(OSError):
    """As clients of HTTP raise it, with what the network said as its cause."""


class _Text(str):
    __slots__ = ()


class _Level(IntEnum):
    HIGH = 2


class _Colour(Enum):
    RED = "red"


def raising(error: BaseException) -> Callable[..., Any]:
    def decode(key: object, value: bytes, headers: object) -> Any:
        if value.startswith(b"{"):
            return orjson.loads(value)
        raise error

    return decode


def giving(found: Any) -> Callable[..., Any]:
    def decode(key: object, value: bytes, headers: object) -> Any:
        return orjson.loads(value) if value.startswith(b"{") else found

    return decode


def reason(letter: Any) -> tuple[str, str]:
    headers = dict(letter.headers)
    return headers["dead.reason"].decode(), headers["dead.error"].decode()


@pytest.mark.parametrize(
    "error",
    [
        KeyError(SECRET),
        struct.error(SECRET),
        RecursionError(SECRET),
        AttributeError(SECRET),
        AssertionError(SECRET),
        StopIteration(SECRET),
        gzip.BadGzipFile(SECRET),
        FileNotFoundError(errno.ENOENT, SECRET),
        _Odd(SECRET),
        _Panic(SECRET),
        SystemExit(SECRET),
        GeneratorExit(SECRET),
        _RequestFailed(SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_it_raises_is_one_dead_letter_that_names_the_class(
    make: MakeHandler, error: BaseException
) -> None:
    run = await make(decoder=raising(error)).of(
        ticket(votes(0, 1, 2)), broken(b"odd", b"k"), ticket(votes(2, 2))
    )
    (letter,) = run.dead
    assert (letter.key, letter.value) == (b"k", b"odd")
    assert reason(letter) == ("decoder_failed", type(error).__name__)
    assert len(run.requests) == len(run.labels) == 1


async def test_the_log_says_where_once_for_each_class_and_never_what(
    make: MakeHandler, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        await make(decoder=raising(KeyError(SECRET))).of(broken(b"a"), broken(b"b"), broken(b"c"))
    assert len(caplog.records) == 1
    assert "KeyError at" in caplog.text
    assert Path(__file__).name in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("refusal", [ValueError("no \ud800 bar"), _OddValue(), ValueError("\n")])
async def test_any_refusal_is_a_dead_letter(make: MakeHandler, refusal: ValueError) -> None:
    run = await make(decoder=raising(refusal)).of(broken(b"odd"), ticket(votes(2, 2)))
    assert [letter.value for letter in run.dead] == [b"odd"]
    assert len(run.labels) == 1


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        KafkaConnectionError(),
        BrokerError("gone"),
        OSError(errno.ENOSPC, "no space"),
        OSError("disk"),
        ConnectionResetError(),
        TimeoutError(),
        asyncio.CancelledError(),
        ExceptionGroup("of a task group", [KeyError(), ConnectionResetError()]),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_is_no_records_fault_is_no_dead_letter(
    make: MakeHandler, error: BaseException
) -> None:
    run = make(decoder=raising(error))
    with pytest.raises(type(error)):
        await run.of(ticket(votes(2, 2)), broken(b"odd"))
    assert run.items == []


@pytest.mark.parametrize("kind", [_RequestFailed, LookupError])
@pytest.mark.parametrize("told", [True, False])
async def test_a_network_failure_in_another_error_is_no_dead_letter(
    make: MakeHandler, kind: type[Exception], told: bool
) -> None:
    def decode(key: object, value: bytes, headers: object) -> Any:
        try:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "no registry")
        except ConnectionRefusedError as refused:
            if told:
                raise kind("no schema") from refused
            raise kind("no schema")  # noqa: B904 - many libraries don't say what from

    with pytest.raises(kind):
        await make(decoder=decode).of(broken(b"odd"))


ODD: dict[str, tuple[Any, str]] = {
    "bytes": (b"\x01", "/x/0 is of type bytes"),
    "Decimal": (Decimal("1.5"), "/x/0 is of type Decimal"),
    "Fraction": (Fraction(1, 2), "/x/0 is of type Fraction"),
    "UUID": (UUID(int=5), "/x/0 is of type UUID"),
    "set": ({1}, "/x/0 is of type set"),
    "datetime": (datetime.now(UTC), "/x/0 is of type datetime"),
    "date": (date(2026, 1, 31), "/x/0 is of type date"),
    "enum": (_Colour.RED, "/x/0 is of type _Colour"),
    "complex": (1j, "/x/0 is of type complex"),
    "object": (object(), "/x/0 is of type object"),
    "generator": ((n for n in ()), "/x/0 is of type generator"),
    "whole number": (2**64, "/x/0 is a whole number of more than 64 bits"),
    "negative": (-(2**63) - 1, "/x/0 is a whole number of more than 64 bits"),
    "surrogate": (f"{SECRET}\ud800", "/x/0 has a half of a surrogate pair"),
    "key of a surrogate": ({"\udc80": 1}, "/x/0 has a half of a surrogate pair"),
    "below a key": ({"a": {"b": b""}}, "/x/0/a/b is of type bytes"),
    "key": ({1: 2}, "/x/0 has a key of type int"),
    "key of NaN": ({float("nan"): 2}, "/x/0 has a key of type float"),
}


@pytest.mark.parametrize("marks", [(0, 1, 2), (2, 2)], ids=["deferred", "agreed"])
@pytest.mark.parametrize("name", ODD)
async def test_what_json_cant_hold_is_named_with_its_place_and_never_its_value(
    make: MakeHandler, name: str, marks: tuple[int, ...]
) -> None:
    value, told = ODD[name]
    found = {"id": "a", "text": votes(*marks), "x": [value]}
    run = await make(decoder=giving(found)).of(broken(b"odd"), ticket(votes(*marks)))
    (letter,) = run.dead
    said, detail = reason(letter)
    assert said == "not_json"
    assert detail.startswith(told)
    assert SECRET not in detail
    assert len(run.labels) + len(run.requests) == 1


def cyclic() -> dict[str, Any]:
    found: dict[str, Any] = {"id": "a", "text": "b"}
    found["x"] = [found, found]
    return found


def deep(levels: int, inner: Any = 1) -> dict[str, Any]:
    for _ in range(levels - 1):
        inner = [inner]
    return {"id": "a", "text": votes(0, 1, 2), "x": inner}


def laughing() -> dict[str, Any]:
    """Few objects that would take terabytes, as an alias in YAML makes them."""
    part: Any = ["ha"]
    for _ in range(60):
        part = [part, part]
    return {"id": "a", "text": "b", "x": part}


def repeated() -> dict[str, Any]:
    return {"id": "a", "text": "b", "x": ["long" * 20_000] * 5000}


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (cyclic(), {"too_deep", "too_large"}),
        (deep(241), {"too_deep"}),
        (deep(5000), {"too_deep"}),
        (deep(300, _Text("x")), {"too_deep"}),
        (laughing(), {"too_large"}),
        (repeated(), {"too_large"}),
        ({"id": "a", "text": "x" * 2**20}, {"too_large"}),
        (None, {"unreadable"}),
        ([("id", "a")], {"unreadable"}),
    ],
)
async def test_what_is_no_ticket_at_all_is_a_dead_letter(
    make: MakeHandler, found: Any, why: set[str]
) -> None:
    run = await make(decoder=giving(found)).of(broken(b"odd"), ticket(votes(2, 2)))
    (letter,) = run.dead
    assert reason(letter)[0] in why
    assert len(run.labels) == 1


@pytest.mark.parametrize(
    "found",
    [
        {"id": "a", "text": votes(0, 1, 2)},
        MappingProxyType({"id": "a", "text": votes(0, 1, 2), "x": MappingProxyType({"y": 1})}),
        OrderedDict(id="a", text=votes(0, 1, 2)),
        {"id": _Text("a"), "text": _Text(votes(0, 1, 2)), _Text("x"): (1, _Level.HIGH, True, None)},
        {"id": "a", "text": votes(0, 1, 2), "x": [float("nan"), 2**64 - 1, -(2**63), 1.5]},
        deep(240),
    ],
    ids=["plain", "proxy", "ordered", "subclasses", "numbers", "deep"],
)
async def test_what_json_can_hold_is_a_ticket(make: MakeHandler, found: Mapping[str, Any]) -> None:
    run = await make(decoder=giving(found)).of(broken(b"odd"))
    assert [request.ticket.id for request in run.requests] == ["a"]


async def test_an_unavailable_decoder_holds_the_stream_and_loses_nothing(
    make: MakeHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PAUSE", 0.001)
    tries: list[bytes] = []

    def decode(key: object, value: bytes, headers: object) -> Any:
        tries.append(value)
        if len(tries) in (2, 3, 4):
            raise Unavailable("the registry is away")
        return orjson.loads(value)

    batch = [ticket(votes(2, 2)) for _ in range(3)]
    run = await make(decoder=decode).of(*batch)
    assert len(run.labels) == 3
    assert run.dead == []
    assert tries == [batch[0].value, *[batch[1].value] * 4, batch[2].value]


async def test_a_held_stream_can_be_stopped(make: MakeHandler) -> None:
    held = asyncio.create_task(make(decoder=raising(Unavailable("away"))).of(broken(b"odd")))
    await asyncio.sleep(0)
    assert not held.done()
    held.cancel()
    with pytest.raises(asyncio.CancelledError):
        await held


def decoders() -> dict[str, Callable[..., Any]]:
    """Those that the documentation shows, by name."""
    found: dict[str, Any] = {"fetched": lambda url: url}
    for page in ("configuration.md", "privacy.md"):
        for code in re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL):
            exec(code, found)
    return {name: found[name] for name in ("decoded", "looked_up", "redacted")}


@pytest.mark.parametrize("name", ["decoded", "looked_up", "redacted"])
def test_the_decoders_of_the_documentation_read_tickets_and_refuse_the_rest(name: str) -> None:
    intake = TicketReader(decoder=decoders()[name])
    body = orjson.dumps({"id": "a", "text": "hello", "body_url": "hello", "x": [{"y": 1}]})
    assert intake.ticket(Rec(body)).text == "hello"
    for value in (b"", b"null", b"[1]", b"\xff", b"{}", b'{"x":' + b"[" * 990 + b"]" * 990 + b"}"):
        with pytest.raises(TicketError):
            intake.ticket(Rec(value))


def test_the_decoder_of_the_documentation_reads_lines() -> None:
    record = Rec(b"7;caf\xe9 closed", headers=[("format", b"line")])
    assert TicketReader(decoder=decoders()["decoded"]).ticket(record).text == "caf\xe9 closed"
