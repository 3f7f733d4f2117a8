"""What others wrote oddly ends no search for a ticket."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from streamer.cli import main
from streamer.errors import TicketError
from streamer.records.label import label_key
from streamer.services.inspect import find
from streamer.stream.dead_letters import DeadLetters
from tests.services.inspect.story import DAY, Log, label, log, request
from tests.services.records import Rec

__all__ = ["log"]


def picky(key: bytes | None, value: bytes, headers: object) -> dict[str, str]:
    """Reads `id|text`, and fails at all else as decoders do."""
    one, text = value.decode().split("|")
    return {"id": one, "text": text} if text != "later" else {}["none"]


def answer(ticket_id: str) -> bytes:
    return orjson.dumps({"ticket_id": ticket_id, "task": "intent", "label": "billing"})


async def letter(log: Log, topic: str, value: bytes, key: bytes = b"another") -> str:
    """Puts a dead letter of that topic, and returns its name."""
    record = Rec(value, key, 3, 1, topic)
    dead = DeadLetters("dead", 2**20).emission(record, TicketError("unknown_label", "none"))
    place = await log.put("dead", dead.value, dead.key or b"", 10, tuple(dead.headers))
    return f"{place.partition}:{log.last}"


async def test_only_letters_of_tickets_are_read_by_the_decoder(log: Log) -> None:
    topics = log.stage.topics
    mine = [
        await letter(log, topics.answers, answer("T1")),
        await letter(log, topics.judge, orjson.dumps({"ticket": {"id": "T1"}})),
        await letter(log, topics.tickets, b"T1|text"),
    ]
    others = (
        (topics.answers, answer("T2") + b"   "),
        (topics.tickets, b"T2|T1"),
        (topics.judge, orjson.dumps({"ticket": {"id": "T2"}, "see": "T1"})),
    )
    for topic, value in others:
        await letter(log, topic, value)
    unread = [
        await letter(log, topics.tickets, b"T1|later"),
        await letter(log, topics.tickets, answer("T1")),
        await letter(log, topics.answers, b'"T1"'),
        await letter(log, topics.judge, b'{"ticket": ["T1"]}'),
        await letter(log, topics.judge, b'{"ticket": {"id": "T1"'),
    ]
    place = await log.put("dead", answer("T1"), b"strange", 10)
    unread.append(f"{place.partition}:{log.last}")
    reading = log.settings.input.model_copy(update={"decoder": f"{__name__}.picky"})
    settings = log.settings.model_copy(update={"input": reading})
    found = await find(settings, "T1", DAY, text=True)
    names = [f"{hop.partition}:{hop.offset}" for hop in found.hops if hop.kind == "dead letter"]
    assert sorted(names) == sorted(mine)
    assert sorted(found.unread) == sorted(unread)
    assert any(place in line for line in found.advice for place in unread)


async def test_a_record_of_another_form_is_a_hop_that_says_so(log: Log) -> None:
    topics = ("labels", "judge", "audit", "log", "review", "dead")
    values = (b"[]", b'"x"', b"7", b"null", b"{}", b"{", b'{"votes": 5}')
    for topic in topics:
        for value in values:
            await log.put(topic, value, label_key("T1", "intent"))
    found = await log.find("T1")
    notes = [hop.note for hop in found.hops]
    assert notes == ["not readable by this release"] * len(topics) * len(values)


@pytest.mark.parametrize(
    "changes",
    [
        {"position": {"source": "tickets", "topic": "t", "partition": "1", "offset": 2}},
        {"position": {"source": "tickets", "topic": ["t"], "partition": 1, "offset": 2}},
        {"position": None},
        {"revision": "2"},
        {"votes": None},
        {"rule": []},
        {"label": 5},
        {"created_at": 5},
        {"decided_at": None},
        {"segment": 5},
    ],
)
async def test_a_record_with_another_type_in_a_field_ends_nothing(
    log: Log, changes: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    at = await log.ticket("T1", "x")
    sound = label("T1", at, log.began)
    await log.label(sound)
    spoilt = orjson.loads(sound.to_json()) | changes
    await log.put("labels", orjson.dumps(spoilt), sound.key, 20)
    asked = orjson.loads(request("T1", sound).to_json()) | changes
    for topic in ("judge", "audit", "review", "log"):
        await log.put(topic, orjson.dumps(asked), sound.key, 30)
    for verb in ("inspect", "erase"):
        command = [verb, "T1", "--config", str(log.stage.config)]
        assert await asyncio.to_thread(main, command) == 0
    assert "intent: billing  0.930" in capsys.readouterr().out


async def test_a_label_that_names_no_partition_ends_nothing(log: Log) -> None:
    at = await log.ticket("T1", "x")
    sound = label("T1", at, log.began)
    spoilt = replace(sound, position=replace(sound.position, partition=-1))
    await log.put("labels", spoilt.to_json(), sound.key, 20)
    command = ["inspect", "T1", "--config", str(log.stage.config)]
    assert await asyncio.to_thread(main, command) == 0
