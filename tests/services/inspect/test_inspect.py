"""A ticket's story from the records that a real Kafka holds."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import orjson
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from streamer.cli import main
from streamer.dev.kafka import Kafka
from streamer.errors import TicketError
from streamer.records import Rule
from streamer.records.label import DELETED_AT, After, label_key
from streamer.records.log import VerdictLog, log_json
from streamer.records.times import rfc3339
from streamer.services.inspect import find
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.partitioner import partitions
from tests.conftest import ECHO_LABELS
from tests.services.inspect.story import DAY, TRACE, Log, label, log, request
from tests.services.records import Rec

__all__ = ["log"]


async def test_follows_a_ticket_that_was_judged(log: Log) -> None:
    # Others in the same partitions, so that nothing is found by luck.
    for number in range(20):
        other = await log.ticket(f"other-{number}", "x")
        await log.label(label(f"other-{number}", other, log.began))
    at = await log.ticket("T/1", "Where is my refund?", subject="Refund")
    judged = label(
        "T/1", at, log.began, source="judge", judge="7", after=After("v3", 0.0),
        decided_at=rfc3339(log.began + 500),
    )  # fmt: skip
    await log.put("judge", request("T/1", judged, "Where").to_json(), judged.key, 100)
    verdict = VerdictLog(
        decision_id=judged.decision_id, ticket_id="T/1", task="intent",
        label_set=judged.label_set, at=judged.decided_at, purpose="decide", uniform=False,
        judge="7", vector=(0.1, 0.7, 0.15, 0.05), candidate=None, after=After("v3", 0.0),
        published="billing", source="judge",
    )  # fmt: skip
    await log.put("log", log_json(verdict), judged.key, 505)
    await log.label(judged, 510)
    found = await log.find("T/1")
    assert [hop.kind for hop in found.hops] == ["ticket", "judge request", "verdict", "label"]
    assert found.hops[0].place == f"{at.topic}[{at.partition}]@{at.offset}"
    (one,) = found.occurrences
    assert (one.text, one.there) == ("Where is my refund?", True)
    (outcome,) = found.outcomes
    assert outcome.state == judged
    assert outcome.verdicts == (dict(zip(ECHO_LABELS, verdict.vector or (), strict=True)),)
    assert [(part.on, part.seconds) for part in outcome.spent] == [
        ("waiting and voting", 0.1),
        ("judge", 0.4),
        ("publishing", 0.01),
    ]
    assert found.trace_id == TRACE
    assert outcome.waiting is None
    assert found.advice == ()


async def test_of_several_labels_the_state_is_the_one_that_subscribers_take(log: Log) -> None:
    first = await log.ticket("T1", "before")
    second = await log.ticket("T1", "after", 50)
    newer = label("T1", second, log.began, label="technical")
    await log.label(label("T1", first, log.began), 60)
    await log.label(newer, 70)
    # A repeat of the older ticket, in a backfill, comes last and stands for nothing.
    await log.label(label("T1", first, log.began, label="account", backfill="again"), 80)
    found = await log.find("T1")
    (outcome,) = found.outcomes
    assert [one.label for one in outcome.labels] == ["billing", "technical", "account"]
    assert outcome.state == newer
    assert [one.text for one in found.occurrences] == ["before", "after"]
    assert "backfill again" in found.hops[-1].note


async def test_a_deleted_ticket_is_said_to_be_deleted(log: Log) -> None:
    at = await log.ticket("T1", "text")
    await log.label(label("T1", at, log.began))
    reach = ((DELETED_AT, str(at.offset + 1).encode()),)
    await log.put("labels", None, label_key("T1", "intent"), 30, reach)
    (outcome,) = (await log.find("T1")).outcomes
    assert (outcome.state, outcome.deleted) == (None, True)


async def test_the_ticket_may_be_older_than_what_is_looked_at(log: Log) -> None:
    at = await log.ticket("T1", "old", -10 * 86_400_000)
    await log.label(label("T1", at, log.began))
    assert [one.text for one in (await log.find("T1")).occurrences] == ["old"]
    assert not (await log.find("T1", timedelta(seconds=30))).found


async def test_a_ticket_that_its_topic_lost_is_said_to_be_gone(log: Log, kafka: Kafka) -> None:
    at = await log.ticket("T1", "lost")
    await log.label(label("T1", at, log.began))
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    place = TopicPartition(at.topic, at.partition)
    await admin.delete_records({place: RecordsToDelete(before_offset=at.offset + 1)})
    await admin.close()
    found = await log.find("T1")
    assert [one.there for one in found.occurrences] == [False]
    assert any("retention" in line for line in found.advice)


async def test_finds_dead_letters_by_key_or_by_what_they_hold(log: Log) -> None:
    at = await log.ticket("T1", "")
    letters = DeadLetters("dead", 2**20)
    record = Rec(orjson.dumps({"id": "T1"}), b"other key", at.offset, at.partition, at.topic)
    dead = letters.emission(record, TicketError("no_text", "no text"))
    await log.put("dead", dead.value, dead.key or b"", 10, tuple(dead.headers))
    # A letter that only mentions the id is not about this ticket.
    await log.put("dead", b'{"id": "T2", "see": "T1"}', b"T2", 20, tuple(dead.headers))
    found = await log.find("T1")
    assert [hop.kind for hop in found.hops] == ["ticket", "dead letter"]
    assert found.hops[1].note.startswith("no_text, from ")
    assert [one.problem for one in found.occurrences] == ["no_text"]


async def test_says_who_has_yet_to_work_on_it(log: Log) -> None:
    await log.ticket("T1", "waits for classify")
    (outcome,) = (await log.find("T1")).outcomes
    assert outcome.waiting == f"classify has 0 records before it in {log.stage.topics.tickets}"
    asked = label("T2", await log.ticket("T2", "waits for the judge"), log.began)
    await log.put("judge", request("T2", asked).to_json(), asked.key)
    (outcome,) = (await log.find("T2")).outcomes
    assert (outcome.waiting or "").startswith("the judge has 0 records before it")


async def test_nothing_found_says_where_it_looked_and_what_to_try(log: Log, capsys) -> None:
    await log.ticket("T1", "x")
    command = ["inspect", "nobody", "--config", str(log.stage.config)]
    assert await asyncio.to_thread(main, command) == 1
    said = capsys.readouterr().out
    assert "not found since" in said
    assert log.stage.topics.labels in said
    assert "--since 7d" in said


async def test_shows_it_on_one_screen(log: Log, capsys) -> None:
    at = await log.ticket("T1", "my \x1b[31mrefund\u202e is late " * 60)
    await log.label(label("T1", at, log.began))
    command = ["inspect", "T1", "--config", str(log.stage.config)]
    assert await asyncio.to_thread(main, command) == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert len(lines) <= 24
    assert all(line.isprintable() for line in lines)
    for shown in (
        f"ticket T1   trace {TRACE}", "intent: billing  0.930  by workers, final",
        "echo_b               2    account              0.600", "(breaker_open)",
        "majority: 2 of 3, mean at least 0.8; calibration c1", "waiting and voting 15 ms",
    ):  # fmt: skip
        assert shown in said
    assert await asyncio.to_thread(main, [*command, "--no-text"]) == 0
    assert "refund" not in capsys.readouterr().out


async def test_a_record_that_lies_about_itself_does_nothing_to_the_terminal(
    log: Log, capsys
) -> None:
    at = await log.ticket("T1", "x")
    odd = "\x1b[2J"
    rule = Rule(odd, 2, 3, odd, 0.8, worker=odd)
    lying = replace(at, topic=f"elsewhere{odd}")
    made = label("T1", lying, log.began, source=odd, verdict=odd, backfill=odd, rule=rule)
    await log.label(made)
    command = ["inspect", "T1", "--config", str(log.stage.config)]
    assert await asyncio.to_thread(main, command) == 0
    said = capsys.readouterr().out
    assert "no longer there" in said
    assert all(line.isprintable() for line in said.splitlines())


async def test_an_id_with_a_slash_is_not_mixed_up_with_anothers_key(log: Log) -> None:
    # One whose label lies in the partition in which that of the other will be looked for.
    one = next(name for name in (f"T{n}" for n in range(99)) if len(_places(name)) == 1)
    for ticket_id in (one, f"{one}/intent"):
        await log.label(label(ticket_id, await log.ticket(ticket_id, ticket_id), log.began))
    for ticket_id in (one, f"{one}/intent"):
        found = await log.find(ticket_id)
        (outcome,) = found.outcomes
        assert [label.ticket_id for label in outcome.labels] == [ticket_id]
        assert [occurrence.text for occurrence in found.occurrences] == [ticket_id]


def _places(ticket_id: str) -> set[int]:
    keys = [label_key(ticket_id, "intent"), label_key(f"{ticket_id}/intent", "intent")]
    return set(partitions(keys, 5).tolist())


async def test_as_json_it_hides_what_the_ticket_says_where_told(log: Log, capsys) -> None:
    at = await log.ticket("T1", "a secret", subject="another secret")
    made = label("T1", at, log.began)
    await log.label(made)
    await log.put("judge", request("T1", made, "a secret").to_json(), made.key)
    found = await log.find("T1", text=False)
    assert b"secret" not in orjson.dumps(found.to_dict())
    command = ["inspect", "T1", "--json", "--config", str(log.stage.config)]
    assert await asyncio.to_thread(main, command) == 0
    raw = json.loads(capsys.readouterr().out)
    assert raw["occurrences"][0]["text"] == "a secret"
    assert raw["outcomes"][0]["state"]["votes"][0]["probability"] == 0.9
    assert raw["hops"][0]["offset"] == at.offset


async def test_too_much_to_read_is_cut_to_the_newest_and_said(log: Log) -> None:
    at = await log.ticket("T1", "x")
    for _ in range(30):
        await log.label(label("T1", at, log.began))
    newest = label("T1", at, log.began, label="technical")
    await log.label(newest)
    found = await find(log.settings, "T1", DAY, text=False, limit=30)
    (outcome,) = found.outcomes
    assert not found.complete
    assert any("--since" in line for line in found.advice)
    assert outcome.state == newest
    assert len(outcome.labels) < 31
