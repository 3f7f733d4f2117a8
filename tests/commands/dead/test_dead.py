"""Dead letters on a real Kafka, handled as an operator would."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from streamer.cli import main
from streamer.commands.dead import handling
from streamer.dev.kafka import Kafka
from streamer.errors import TicketError
from streamer.records.dead_letter import DeadLetter, Handled, attempts, original
from streamer.stream.dead_letters import KEPT_BYTES, DeadLetters
from tests.accounting import whole
from tests.services.records import Rec
from tests.stage import Stage

HEADERS = (("traceparent", b"00-00"), ("mine", b"\xff\x00"), ("dead.end", b"the user's own"))
REQUEST = orjson.dumps(
    {"task": "intent", "decision_id": "0", "label_set": "1", "position": {}, "ticket": {"id": "5"}}
)


class Desk:
    """The topics of one test, and what an operator sees of them."""

    def __init__(self, stage: Stage, producer: AIOKafkaProducer, capsys) -> None:
        self.stage = stage
        self._producer = producer
        self._capsys = capsys
        self._ms = itertools.count(int(time.time() * 1000) - 10_000)

    async def letter(self, record: Rec, reason: str = "unreadable", limit: int = 2**20) -> str:
        """Let a record die, a millisecond after the one before; returns the letter's place."""
        dead = DeadLetters(self.stage.topics.dead, limit).emission(
            record, TicketError(reason, "line 1\x1b[2J")
        )
        made = await self._producer.send_and_wait(
            dead.topic,
            dead.value,
            key=dead.key,
            headers=list(dead.headers),
            timestamp_ms=next(self._ms),
        )
        return f"{made.partition}:{made.offset}"

    def record(self, number: int, topic: str = "tickets", **more: object) -> Rec:
        name = getattr(self.stage.topics, topic)
        given: dict[str, object] = {"value": b"\xff{", "key": f"k{number}".encode()}
        given |= {"offset": number, "partition": number % 3, "topic": name, "headers": HEADERS}
        return Rec(**(given | more))

    async def does(self, *arguments: str) -> tuple[int, str, str]:
        """`streamer dead`: exit code, stdout and stderr."""
        command = ["dead", *arguments, "--config", str(self.stage.config)]
        code = await asyncio.to_thread(main, command)
        said = self._capsys.readouterr()
        return code, said.out, said.err

    async def open(self, *arguments: str) -> list[str]:
        """The places that are listed."""
        _, out, _ = await self.does("list", "--json", *arguments)
        return [json.loads(line)["place"] for line in out.splitlines()]

    async def on(self, topic: str) -> list[ConsumerRecord]:
        name = getattr(self.stage.topics, topic)
        return [record async for record in whole(self.stage.bootstrap, name)]


@pytest.fixture
async def desk(tmp_path: Path, kafka: Kafka, capsys) -> AsyncIterator[Desk]:
    with Stage(tmp_path, kafka, "127.0.0.1:1") as stage:
        await stage.make_topics(partitions=3)
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            yield Desk(stage, producer, capsys)


async def test_lists_what_the_filters_take(desk: Desk) -> None:
    first = await desk.letter(desk.record(1))
    second = await desk.letter(desk.record(2, "judge", value=REQUEST), "unknown_label_set")
    assert await desk.open() == [first, second]
    assert await desk.open("--reason", "unreadable") == [first]
    assert await desk.open("--task", "intent") == [second]
    assert await desk.open("--since", "1h") == [first, second]
    assert await desk.open("--until", "1h") == []
    code, out, err = await desk.does("list")
    header, *lines = out.splitlines()
    assert (code, len(lines)) == (0, 2)
    assert all(line.isprintable() for line in lines)
    assert {line.index("line 1") for line in lines} == {header.index("error")}
    assert err == "2 dead letters\n"


async def test_shows_one_letter_and_lets_it_do_nothing_to_the_terminal(desk: Desk) -> None:
    value = b'{"id": 1, "text": "\x1b]0;hostile\x07 \xe2\x80\xae \xff"}'
    place = await desk.letter(desk.record(1, value=value))
    code, out, _ = await desk.does("show", place)
    assert code == 0
    assert all(line.isprintable() for line in out.splitlines())
    assert "unreadable" in out
    assert "hostile" in out
    _, out, _ = await desk.does("show", place, "--json")
    raw = json.loads(out)
    assert (raw["reason"], raw["offset"]) == ("unreadable", 1)
    assert [header["name"] for header in raw["headers"]] == ["traceparent", "mine", "dead.end"]
    code, _, err = await desk.does("show", "2:999")
    assert (code, err.count("\n")) == (2, 1)


async def test_replays_key_bytes_and_headers_to_where_they_came_from(desk: Desk) -> None:
    for number in range(6):
        await desk.letter(desk.record(number))
    await desk.letter(desk.record(7, "judge", value=REQUEST), "unknown_label_set")
    code, out, _ = await desk.does("replay", "--since", "1h")
    assert (code, out.splitlines()[-1]) == (0, "replayed 7, refused 0")
    back = await desk.on("tickets")
    assert sorted((r.partition, r.key, r.value) for r in back) == sorted(
        (number % 3, f"k{number}".encode(), b"\xff{") for number in range(6)
    )
    assert all(tuple(original(r.headers)) == HEADERS for r in back)
    assert [attempts(r.headers) for r in back] == [1] * 6
    assert [r.value for r in await desk.on("judge")] == [REQUEST]
    assert await desk.open() == []
    assert len(await desk.open("--all")) == 7


async def test_a_second_replay_sends_nothing_twice_unless_told(desk: Desk) -> None:
    place = await desk.letter(desk.record(1))
    for _ in range(2):
        assert (await desk.does("replay", "--reason", "unreadable"))[0] == 0
    assert len(await desk.on("tickets")) == 1
    code, _, err = await desk.does("replay", place)
    assert code == 1
    assert "was replayed before: --again" in err
    assert (await desk.does("replay", place, "--again"))[0] == 0
    assert len(await desk.on("tickets")) == 2


async def test_a_crash_before_the_mark_sends_once_more_and_loses_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await desk.letter(desk.record(number))
    real = handling._mark

    async def crash(*given: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(handling, "_mark", crash)
    with pytest.raises(RuntimeError):
        await desk.does("replay", "--reason", "unreadable")
    sent = len(await desk.on("tickets"))
    assert sent
    monkeypatch.setattr(handling, "_mark", real)
    assert (await desk.does("replay", "--reason", "unreadable"))[0] == 0
    back = await desk.on("tickets")
    assert len(back) == 4 + sent
    assert {r.key for r in back} == {f"k{number}".encode() for number in range(4)}


async def test_what_dies_again_and_again_is_refused(desk: Desk) -> None:
    record = desk.record(1)
    for attempt in range(handling.TRIES):
        place = await desk.letter(record)
        assert (await desk.does("replay", place))[0] == 0
        back = (await desk.on("tickets"))[-1]
        assert attempts(back.headers) == attempt + 1
        record = desk.record(1, headers=tuple(back.headers))
    place = await desk.letter(record)
    letter = DeadLetter.from_headers((await desk.on("dead"))[-1].headers)
    assert letter.attempt == handling.TRIES
    code, _, err = await desk.does("replay", place, "--again")
    assert code == 1
    assert f"died after {handling.TRIES} replays" in err
    assert len(await desk.on("tickets")) == handling.TRIES


async def test_refuses_what_it_can_not_restore_and_replays_the_rest(desk: Desk) -> None:
    cut = await desk.letter(desk.record(1, value=b"x" * 3 * KEPT_BYTES), limit=KEPT_BYTES)
    foreign = await desk.letter(desk.record(2, topic="labels"))
    good = await desk.letter(desk.record(3))
    code, out, err = await desk.does("replay", "--since", "1h")
    assert code == 1
    assert f"{cut}: too large to be kept whole" in err
    assert f"{foreign}: came from" in err
    assert out.splitlines()[-1] == "replayed 1, refused 2"
    assert out.startswith(good)
    assert await desk.on("labels") == []


async def test_a_dry_run_does_nothing(desk: Desk) -> None:
    place = await desk.letter(desk.record(1))
    for what in ("replay", "drop"):
        code, out, _ = await desk.does(what, place, "--dry-run")
        assert code == 0
        assert "would have" in out
    assert len(await desk.on("dead")) == 1
    assert await desk.on("tickets") == []


async def test_drops_only_what_is_named_and_writes_it_down(desk: Desk) -> None:
    places = [await desk.letter(desk.record(number)) for number in range(3)]
    for refused in (("drop",), ("drop", "--reason", "unreadable"), ("replay",)):
        code, _, err = await desk.does(*refused)
        assert (code, err.count("\n")) == (2, 1)
    assert await desk.open() == places
    code, out, _ = await desk.does("drop", places[1])
    assert code == 0
    assert places[1] in out
    assert await desk.open() == [places[0], places[2]]
    marks = [r for r in await desk.on("dead") if "dead.handled" in dict(r.headers)]
    mark = Handled.from_json(marks[0].value)
    assert (f"{mark.partition}:{mark.offset}", mark.what, mark.reason) == (
        places[1], "dropped", "unreadable",
    )  # fmt: skip
    assert (await desk.does("drop", "--reason", "unreadable", "--yes"))[0] == 0
    assert await desk.open() == []
    assert (await desk.does("replay", "--reason", "unreadable"))[1] == "replayed 0, refused 0\n"


async def test_a_deletion_that_died_is_replayed_as_a_deletion(desk: Desk) -> None:
    await desk.letter(desk.record(1, value=None), "no_id")
    assert (await desk.does("replay", "--reason", "no_id"))[0] == 0
    (back,) = await desk.on("tickets")
    assert (back.key, back.value) == (b"k1", None)


async def test_a_strange_record_on_the_topic_hinders_nobody(desk: Desk) -> None:
    place = await desk.letter(desk.record(1))
    await desk.stage.feed([(b"x", b"no letter")], topic=desk.stage.topics.dead)
    _, _, err = await desk.does("list")
    assert "1 records on the topic are no dead letters" in err
    assert await desk.open() == [place]


async def test_a_letter_that_names_no_partition_is_replayed_to_any(desk: Desk) -> None:
    place = await desk.letter(desk.record(1, partition=-3))
    code, _, err = await desk.does("replay", place)
    assert (code, err) == (0, "")
    assert len(await desk.on("tickets")) == 1


async def test_an_input_can_not_pass_for_a_mark(desk: Desk) -> None:
    good = await desk.letter(desk.record(1))
    partition, offset = map(int, good.split(":"))
    forged = Handled("dropped", partition, offset, "unreadable", "2026-01-31T08:00:00Z")
    sly = desk.record(2, value=forged.to_json(), headers=tuple(forged.headers()))
    other = await desk.letter(sly)
    assert await desk.open() == [good, other]
    assert (await desk.does("replay", "--reason", "unreadable"))[0] == 0
    (back,) = [r for r in await desk.on("tickets") if r.value == sly.value]
    assert [header for header in back.headers if header[0] == "dead.handled"] == forged.headers()


async def test_a_letter_is_mended_by_a_file_and_lives(desk: Desk, tmp_path: Path) -> None:
    bad = b'{"id": "5", "text": "caf\xc3\xa9 \x9b'
    place = await desk.letter(desk.record(5, value=bad))
    file = tmp_path / "letter.json"
    code, _, err = await desk.does("show", place, "--out", str(file))
    assert (code, file.read_bytes()) == (0, bad)
    assert f"wrote {len(bad)} bytes to {file}" in err
    # What classify would refuse again is not sent.
    code, _, err = await desk.does("replay", place, "--with", str(file))
    assert code == 2
    assert "would die again of unreadable" in err
    assert await desk.on("tickets") == []
    mended = b'{"id": "5", "text": "caf\xc3\xa9"}\n'
    file.write_bytes(mended)
    code, _, err = await desk.does("show", place, "--out", str(file))
    assert (code, file.read_bytes()) == (2, mended)
    assert f"{file} is there already: say --force to write over it, or --out FILE" in err
    assert (await desk.does("show", place, "--out", str(file), "--force"))[0] == 0
    assert file.read_bytes() == bad
    file.write_bytes(mended)
    assert (await desk.does("replay", place, "--with", str(file), "--dry-run"))[0] == 0
    assert await desk.on("tickets") == []
    assert (await desk.does("replay", place, "--with", str(file)))[0] == 0
    (sent,) = await desk.on("tickets")
    assert (sent.key, sent.value, sent.partition) == (b"k5", mended, 2)
    assert tuple(sent.headers) == (*HEADERS, ("dead.attempt", b"1"))
    assert await desk.open() == []


async def test_what_could_not_be_replayed_as_it_is_can_be_mended(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "mended.json"
    file.write_bytes(orjson.dumps({"id": "1", "text": "shorter"}))
    tired = desk.record(1, headers=(("dead.attempt", b"3"),))
    letters = [
        await desk.letter(desk.record(0, value=b"x" * 2000, key=b"k"), limit=1000),
        await desk.letter(tired),
        await desk.letter(desk.record(2, "judge", value=REQUEST)),
    ]
    for place in letters:
        assert (await desk.does("replay", place))[0] == (1 if place != letters[2] else 0)
        assert (await desk.does("replay", place, "--again", "--with", str(file)))[0] == 0
    assert [record.value for record in await desk.on("tickets")] == [file.read_bytes()] * 2
    # Of a request only the bytes are known here.
    assert [r.value for r in await desk.on("judge")] == [REQUEST, file.read_bytes()]


@pytest.mark.parametrize("places", [[], ["0:0", "0:1"]])
async def test_one_letter_is_mended_at_a_time(
    desk: Desk, tmp_path: Path, places: list[str]
) -> None:
    code, _, err = await desk.does("replay", *places, "--reason", "x", "--with", str(tmp_path))
    assert code == 2
    assert "--with mends one dead letter" in err


async def test_a_file_that_is_not_there_is_a_mistake(desk: Desk, tmp_path: Path) -> None:
    place = await desk.letter(desk.record(1))
    code, _, err = await desk.does("replay", place, "--with", str(tmp_path / "none"))
    assert code == 2
    assert "can't read" in err
    code, _, err = await desk.does("show", place, "--out", str(tmp_path / "none" / "none"))
    assert code == 2
    assert "can't write" in err


async def test_a_mark_of_others_does_nothing_to_the_terminal(desk: Desk) -> None:
    place = await desk.letter(desk.record(1))
    partition, offset = map(int, place.split(":"))
    mark = Handled("\x1b[2J", partition, offset, "why", "now")
    await desk._producer.send_and_wait(
        desk.stage.topics.dead, mark.to_json(), partition=partition, headers=mark.headers()
    )
    _, out, err = await desk.does("list")
    assert all(line.isprintable() for line in out.splitlines())
    assert "1 records on the topic are no dead letters" in err
