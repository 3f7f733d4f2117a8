import asyncio
import gzip
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from streamer.cli import main
from streamer.client import LabelRecord
from streamer.commands import send, tail
from streamer.commands.send import tickets
from streamer.config import Settings, load
from streamer.dev.kafka import Kafka
from streamer.stream.topics import TopicSpec, create_topics
from tests.client.making import LABEL, at
from tests.conftest import unique_topic

CONFIG = """
kafka: {{bootstrap: "{bootstrap}", start: earliest}}
topics: {{tickets: {stem}, labels: {stem}.labels}}
input: {{id: /ticket/number}}
tasks:
  topic: {{labels: [a, b], workers: [one, two]}}
"""


@pytest.fixture
async def config(kafka: Kafka, tmp_path: Path) -> Path:
    stem = unique_topic("tickets")
    await create_topics(kafka.bootstrap, [TopicSpec(stem, 2), TopicSpec(f"{stem}.labels", 2)])
    path = tmp_path / "streamer.yaml"
    path.write_text(CONFIG.format(bootstrap=kafka.bootstrap, stem=stem))
    return path


async def everything(settings: Settings, topic: str, count: int) -> list[tuple[str, dict]]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=settings.kafka.bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        found = [await asyncio.wait_for(consumer.getone(), 30) for _ in range(count)]
    return sorted((r.key.decode(), orjson.loads(r.value)) for r in found)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.jsonl"])
async def test_sends_rows_as_they_are(config: Path, name: str, capsys) -> None:
    file = config.parent / name
    text = (
        "number,text\n17,Grüße\n,second\n"
        if "csv" in name
        else ('{"number": "17", "text": "Grüße"}\n\n{"number": "", "text": "second"}\n')
    )
    file.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    done = await asyncio.to_thread(
        main, ["send", str(file), "--config", str(config), "--set", "input.id=/number"]
    )
    assert done == 0
    assert capsys.readouterr().out.startswith("sent 2 tickets to ")
    settings = load(config)
    assert await everything(settings, settings.topics.tickets, 2) == [
        ("17", {"number": "17", "text": "Grüße"}),
        ("2", {"number": "2", "text": "second"}),
    ]


def test_an_id_goes_where_the_pointer_says() -> None:
    rows = [{"ticket": {"number": 4}}, {"ticket": {"by": "x"}}, {"text": "t"}]
    assert [(key, orjson.loads(value)) for key, value in tickets(rows, "/ticket/number")] == [
        ("4", {"ticket": {"number": 4}}),
        ("2", {"ticket": {"by": "x", "number": "2"}}),
        ("3", {"text": "t", "ticket": {"number": "3"}}),
    ]


async def test_the_rate_is_kept(config: Path) -> None:
    file = config.parent / "t.jsonl"
    file.write_text('{"text": "x"}\n' * 5)
    began = asyncio.get_running_loop().time()
    arguments = ["send", str(file), "--config", str(config), "--rate", "10"]
    assert await asyncio.to_thread(main, arguments) == 0
    assert asyncio.get_running_loop().time() - began >= 0.4


@pytest.mark.parametrize(
    ("file", "content", "line"),
    [
        ("none.csv", None, "can't read"),
        ("t.txt", b"", "must end in"),
        ("t.jsonl", b"[1]\n", "line 1 is no JSON object"),
        ("t.jsonl", b"{}\n{\n", "line 2 is no JSON"),
        ("t.csv", b"a\n\xff\n", "not UTF-8"),
    ],
)
async def test_a_file_that_cannot_be_read_is_one_line(
    config: Path, file: str, content: bytes | None, line: str, capsys
) -> None:
    path = config.parent / file
    if content is not None:
        path.write_bytes(content)
    assert await asyncio.to_thread(main, ["send", str(path), "--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1


async def test_a_wrong_topic_is_one_line(config: Path, capsys) -> None:
    file = config.parent / "t.jsonl"
    file.write_text("{}\n")
    wrong = ["--config", str(config), "--set", "topics.tickets=mistyped"]
    assert await asyncio.to_thread(main, ["send", str(file), *wrong]) == 2
    said = capsys.readouterr().err
    assert "no topic mistyped" in said
    assert said.count("\n") == 1


def test_send_refuses_where_tickets_are_not_json(tmp_path: Path) -> None:
    path = tmp_path / "streamer.yaml"
    text = CONFIG.format(bootstrap="localhost:1", stem="t")
    path.write_text(text.replace("{id", "{decoder: a.b, id"))
    (tmp_path / "t.jsonl").write_text("{}\n")
    assert main(["send", str(tmp_path / "t.jsonl"), "--config", str(path)]) == 2


class Failing:
    """Clients whose Kafka takes `good` records and no more."""

    def __init__(self, good: int) -> None:
        self.good = good
        self.taken: list[tuple[str, bytes]] = []

    def __call__(self, connection: object) -> "Failing":
        return self

    async def ensure_topics(self, topics: object) -> None:
        pass

    def producer(self, **given: object) -> "Failing":
        return self

    @asynccontextmanager
    async def started(self, client: object) -> AsyncIterator[object]:
        yield client

    async def send(self, topic: str, value: bytes, key: bytes) -> "asyncio.Future[None]":
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if len(self.taken) < self.good:
            self.taken.append((key.decode(), value))
            answer.set_result(None)
        else:
            answer.set_exception(KafkaTimeoutError())
        return answer


@pytest.mark.parametrize("good", [0, 700, 1024, 1300])
def test_where_kafka_fails_it_says_how_many_were_sent_and_how_to_go_on(
    good: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    path, file = tmp_path / "streamer.yaml", tmp_path / "t.csv"
    path.write_text(
        CONFIG.format(bootstrap="localhost:1", stem="t").replace("/ticket/number", "/id")
    )
    file.write_text("id,text\n" + "".join(f"T-{row},x\n" for row in range(1, 1401)))
    arguments = ["send", str(file), "--config", str(path)]
    monkeypatch.setattr(send, "kafka_clients", first := Failing(good))
    assert main(arguments) == 1
    said = capsys.readouterr().err
    found = re.search(r"(\d+) tickets were sent, go on by --from-row (\d+)", said)
    assert found, said
    assert (int(found[1]), int(found[2])) == (good, good + 1)
    monkeypatch.setattr(send, "kafka_clients", second := Failing(9999))
    assert main([*arguments, "--from-row", found[2]]) == 0
    keys = [key for key, _ in [*first.taken, *second.taken]]
    assert keys == [f"T-{row}" for row in range(1, 1401)]


@pytest.mark.parametrize(
    "content",
    [
        b"id,text\n1,a\n2,b,c\n",
        b"id,text\n" + b"1,a\n" * 700 + b'2,"b\n',
        b"id;text\n1;a\n",
        "id,text\n1,a\n".encode("utf-16-le"),
        "id,text\n1,a\n".encode("utf-16"),
        b"number,body\n1,a\n",
    ],
)
def test_a_file_that_is_not_whole_is_refused_in_one_line_before_anything_is_sent(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    path, file = tmp_path / "streamer.yaml", tmp_path / "t.csv"
    path.write_text(CONFIG.format(bootstrap="localhost:1", stem="t"))
    file.write_bytes(content)
    monkeypatch.setattr(send, "kafka_clients", kafka := Failing(9999))
    assert main(["send", str(file), "--config", str(path)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n"), kafka.taken) == ("", 1, [])


async def publish(settings: Settings, *values: bytes | None) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap) as producer:
        for value in values:
            await producer.send_and_wait(settings.topics.labels, value, key=LABEL.key)


async def test_tails_for_people_and_for_machines(config: Path, capsys) -> None:
    await publish(load(config), LABEL.to_json(), at(9, label="refund").to_json(), None)
    arguments = ["tail", "--config", str(config), "--beginning", "--count"]
    assert await asyncio.to_thread(main, [*arguments, "3"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == tail.HEADER
    assert [line[14:].split()[:3] for line in lines] == [
        ["a/b", "topic", "billing"],
        ["a/b", "topic", "refund"],
        ["a/b", "topic", "deleted"],
    ]
    assert "0.900  workers   one=billing" in lines[0]
    assert await asyncio.to_thread(main, [*arguments, "2", "--json"]) == 0
    assert (
        capsys.readouterr().out.encode()
        == LABEL.to_json() + b"\n" + at(9, label="refund").to_json() + b"\n"
    )


async def test_labels_as_json_do_nothing_to_the_terminal(config: Path, capsys) -> None:
    odd = at(9, label="\x9b31m\u202eright\x7f")
    await publish(load(config), odd.to_json(), b"\x1b[2J no JSON")
    arguments = ["tail", "--config", str(config), "--beginning", "--count", "2", "--json"]
    assert await asyncio.to_thread(main, arguments) == 0
    label, other = capsys.readouterr().out.splitlines()
    assert label.isprintable()
    assert other.isprintable()
    assert json.loads(label) == json.loads(odd.to_json())


async def test_tail_begins_now(config: Path) -> None:
    settings = load(config)
    await publish(settings, LABEL.to_json())
    follower = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamer.cli", "tail", "--config", str(config), "--count", "1",
        stdout=asyncio.subprocess.PIPE, env=os.environ,
    )  # fmt: skip
    assert follower.stdout is not None
    await follower.stdout.readline()
    while follower.returncode is None:
        await publish(settings, at(9, label="refund").to_json())
        await asyncio.sleep(0.2)
    assert b"refund" in await follower.stdout.read()


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J\x1b[31mred", "a\rb", "a\nb", "\u202eright", "\x9b31m"]
)
def test_a_hostile_ticket_cannot_move_the_terminal(hostile: str) -> None:
    label = replace(LABEL, ticket_id=hostile, label=hostile)
    record = LabelRecord(f"{hostile}/topic", label, b"{}", 0, 0, 0)
    shown = tail.line(record)
    assert len(shown.splitlines()) == 1
    assert shown.isprintable()


@pytest.mark.parametrize("stamp", [2**63 - 1, -1, -(2**63)])
def test_a_record_of_any_time_is_a_line(stamp: int) -> None:
    assert "one=" in tail.line(LabelRecord("1/t", at(1), b"{}", 0, 0, stamp))


def test_columns_stay_aligned() -> None:
    short = LabelRecord("1/t", at(1), b"{}", 0, 0, 0)
    long = LabelRecord("x" * 90 + "/" + "y" * 90, at(1, label="z" * 90), b"{}", 0, 0, 0)
    assert tail.line(short).index("one=") == tail.line(long).index("one=")


def test_an_unreadable_record_is_shown_as_such() -> None:
    assert "not a label" in tail.line(LabelRecord("1/t", None, b"?", 0, 0, 0))
