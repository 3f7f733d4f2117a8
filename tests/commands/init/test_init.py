"""streamer init, from options and at a terminal, with and without Kafka."""

import asyncio
import os
import pty
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from streamer.cli import main
from streamer.commands.init import peek
from streamer.config import load
from streamer.dev.kafka import Kafka
from streamer.dev.ports import LOOPBACK, free_port
from streamer.stream.topics import TopicSpec, create_topics
from tests.conftest import unique_topic
from tests.pseudo_terminal import shown

TICKETS = [
    {"ticket": {"number": n}, "subject": "My bill", "body": f"I was charged twice, number {n}."}
    for n in range(120)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def nowhere() -> str:
    return f"{LOOPBACK}:{free_port()}"


@pytest.fixture
async def topic(kafka: Kafka) -> str:
    """A topic with tickets in two of its three partitions, and one record that is none."""
    name = unique_topic("init-tickets")
    await create_topics(kafka.bootstrap, [TopicSpec(name, 3)])
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for number, ticket in enumerate(TICKETS):
            await producer.send(name, orjson.dumps(ticket), partition=number % 2)
        await producer.send(name, b"no JSON", partition=0)
        await producer.send(name, None, key=b"gone", partition=1)
    return name


def init(*words: str) -> int:
    return main(["init", *words])


def test_a_file_from_options_alone_passes_check(folder: Path, nowhere: str, capsys) -> None:
    options = ["--topic", "help", "--labels", "billing, bug,question", "--bootstrap", nowhere]
    assert init(*options, "--id", "/key", "--text", "/a,/b/c", "--task", "urgency") == 0
    said = capsys.readouterr()
    assert said.out.startswith("wrote streamer.yaml. Next:\n  streamer check ")
    assert f"no Kafka answers at {nowhere}" in said.err
    assert main(["check"]) == 0
    settings = load(folder / "streamer.yaml")
    assert settings.kafka.bootstrap == nowhere
    assert settings.input.id == "/key"
    assert settings.input.text == ("/a", "/b/c")
    assert settings.tasks["urgency"].labels == ("billing", "bug", "question")


def test_kafka_is_named_as_in_every_other_verb(folder: Path, nowhere: str) -> None:
    assert init("--topic", "help", "--labels", "a,b", "--kafka", nowhere) == 0
    assert load(folder / "streamer.yaml").kafka.bootstrap == nowhere


@pytest.mark.parametrize(
    ("words", "missing"), [(["--topic", "t"], "--labels"), (["--labels", "a,b"], "--topic")]
)
def test_what_cannot_be_asked_is_named(
    folder: Path, nowhere: str, words: list[str], missing: str, capsys
) -> None:
    (folder / "t.jsonl").write_text('{"id": 1}\n')
    assert init(*words, "--bootstrap", nowhere, "--from-sample", "t.jsonl") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"init needs {missing}, because there is no terminal at which to ask for it"
    assert not (folder / "streamer.yaml").exists()


def test_nothing_is_written_over_without_force(folder: Path, nowhere: str, capsys) -> None:
    old = folder / "streamer.yaml"
    old.write_text("old")
    words = ["--topic", "t", "--labels", "a,b", "--bootstrap", nowhere]
    assert init(*words) == 2
    assert "is there already: say --force" in capsys.readouterr().err
    assert old.read_text() == "old"
    assert init(*words, "--force") == 0
    assert load(old).topics.tickets == "t"
    assert sorted(path.name for path in folder.iterdir()) == ["streamer.yaml"]


def test_a_file_that_would_be_wrong_is_not_written(folder: Path, capsys) -> None:
    words = ["--topic", "t", "--labels", "a,${NO_SUCH_VARIABLE}", "--from-sample", "t.jsonl"]
    (folder / "t.jsonl").write_text('{"id": 1}\n')
    assert init(*words) == 2
    assert "NO_SUCH_VARIABLE" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["t.jsonl"]


def test_the_sample_says_where_id_and_text_are(folder: Path) -> None:
    (folder / "t.jsonl").write_bytes(b"\n".join(map(orjson.dumps, TICKETS)))
    assert init("--topic", "t", "--labels", "a,b", "--from-sample", "t.jsonl") == 0
    found = load(folder / "streamer.yaml").input
    assert (found.id, found.text) == ("/ticket/number", ("/subject", "/body"))


async def test_kafka_says_where_id_and_text_are(folder: Path, kafka: Kafka, topic: str) -> None:
    words = ["--topic", topic, "--labels", "a,b", "--bootstrap", kafka.bootstrap]
    assert await asyncio.to_thread(init, *words) == 0
    found = load(folder / "streamer.yaml").input
    assert (found.id, found.text) == ("/ticket/number", ("/subject", "/body"))


async def test_the_look_is_bounded_and_leaves_no_trace(kafka: Kafka, topic: str) -> None:
    found, others = await asyncio.to_thread(peek.tickets, kafka.bootstrap, topic)
    # The newest 25 of each of two partitions: the last ones are no ticket, and a deletion.
    assert (len(found), others) == (48, 1)
    assert {ticket["ticket"]["number"] for ticket in found} == set(range(72, 120))
    assert topic in await asyncio.to_thread(peek.topics, kafka.bootstrap)


def converse(folder: Path, words: list[str], answers: list[str]) -> str:
    """Run init at a pseudo-terminal, answering each question; returns all that was shown."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "streamer.cli", "init", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": ""},
    ) as process:
        os.close(theirs)
        seen, waiting = "", list(answers)
        for piece in shown(ours):
            seen += piece
            if waiting and seen.endswith(": "):
                os.write(ours, waiting.pop(0).encode() + b"\n")
    os.close(ours)
    assert process.returncode == 0, seen
    assert not waiting
    return seen


async def test_asks_at_a_terminal_and_proposes(folder: Path, kafka: Kafka, topic: str) -> None:
    names = await asyncio.to_thread(peek.topics, kafka.bootstrap)
    number = str(names.index(topic) + 1)
    answers = [kafka.bootstrap, number, "", "/subject", "Mood", "mood", "good", "good,bad"]
    seen = await asyncio.to_thread(converse, folder, [], answers)
    settings = load(folder / "streamer.yaml")
    assert settings.topics.tickets == topic
    assert (settings.input.id, settings.input.text) == ("/ticket/number", ("/subject",))
    assert settings.tasks["mood"].labels == ("good", "bad")
    assert "\x1b[1mpointer to the id\x1b[0m [/ticket/number]: " in seen
    assert "[/subject,/body]: " in seen
    # What was wrong is said, and asked again.
    assert "'Mood' is no task's name" in seen
    assert "'good' is no label set" in seen
    assert "streamer topics --create" in seen


def test_a_hostile_ticket_can_not_move_the_terminal(folder: Path) -> None:
    ticket = {"id\x1b[2J": "\x1b[31m", "text": "a b \u202e c \x9b"}
    (folder / "t.jsonl").write_bytes(orjson.dumps(ticket))
    seen = converse(folder, ["--from-sample", "t.jsonl"], ["", "t", "/id", "/text", "", "a,b"])
    assert "\x1b[2J" not in seen
    assert "\x1b[31m" not in seen
    assert "\u202e" not in seen


def test_the_end_of_input_writes_nothing(folder: Path) -> None:
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "streamer.cli", "init", "--from-sample", "t.jsonl"]
    (folder / "t.jsonl").write_text('{"id": 1}\n')
    with subprocess.Popen(
        words, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, text=True
    ) as process:
        os.write(ours, b"\x04")
        _, errors = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 2
    assert errors.endswith("no answer, so nothing was written: run `streamer init` again\n")
    assert not (folder / "streamer.yaml").exists()


def test_what_no_ticket_shows_is_told_to_be_a_guess(folder: Path, nowhere: str, capsys) -> None:
    (folder / "t.jsonl").write_text('{"id": 1, "nps": 7}\n{"id": 2, "nps": 9}\n')
    options = ["--topic", "help", "--labels", "bug,question", "--bootstrap", nowhere]
    assert init(*options, "--from-sample", "t.jsonl", "--yes") == 0
    said = capsys.readouterr().err
    assert "nothing like it is in the 2 tickets seen: text /text is a guess" in said
    assert "id /id" not in said


NESTED = {
    "ticket": {
        "number": "T-1",
        "title": "My bill",
        "messages": [{"author": "kim", "body": "I was charged twice for May, please look."}],
    }
}


def test_a_body_in_a_list_is_proposed(folder: Path, capsys) -> None:
    (folder / "t.jsonl").write_bytes(orjson.dumps(NESTED))
    assert init("--topic", "t", "--labels", "a,b", "--from-sample", "t.jsonl") == 0
    found = load(folder / "streamer.yaml").input
    assert found.id == "/ticket/number"
    assert found.text == ("/ticket/title", "/ticket/messages/0/body")
    said = capsys.readouterr()
    assert "guess" not in said.out + said.err + (folder / "streamer.yaml").read_text()


def test_a_kafka_that_does_not_answer_leaves_guesses_that_say_so(
    folder: Path, nowhere: str, capsys
) -> None:
    assert init("--topic", "t", "--labels", "a,b", "--bootstrap", nowhere) == 0
    said = capsys.readouterr()
    assert "no ticket was seen: id /id and text /text are guesses" in said.err
    assert said.out.startswith("wrote streamer.yaml with guesses for id and text. Next:")
    lines = (folder / "streamer.yaml").read_text().splitlines()
    marked = [line.split()[0] for line in lines if "# a guess" in line]
    assert marked == ["id:", "text:"]


async def test_a_topic_that_kafka_does_not_have_is_said(
    folder: Path, kafka: Kafka, topic: str, capsys
) -> None:
    wrong = topic.replace("tickets", "tikets")
    words = ["--topic", wrong, "--labels", "a,b", "--bootstrap", kafka.bootstrap, "--id", "/key"]
    assert await asyncio.to_thread(init, *words) == 0
    said = capsys.readouterr()
    assert f"has no topic {wrong}; did you mean " in said.err
    assert "no ticket was seen: text /text is a guess" in said.err
    lines = (folder / "streamer.yaml").read_text().splitlines()
    assert [line.split()[0] for line in lines if "# a guess" in line] == ["text:"]
