"""Answers become the last word on a label, or dead letters that say why not."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import orjson
import pytest

from streamer.client import LabelRecord, LabelTable
from streamer.decide.sampling import drawn
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.answer import Answer
from streamer.records.dead_letter import DeadLetter
from streamer.records.identity import TicketIdentity
from streamer.records.label import Label, Position, Rule
from streamer.records.labelset import LabelSet
from streamer.records.log import AnswerLog, log_from_json
from streamer.services.classify.answers.answers_handler import AnswersHandler
from streamer.services.classify.observing import Observing
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Emission
from tests.services.records import Rec

MOODS = LabelSet(("good", "bad"))
AT = "2026-01-01T00:00:00.000Z"


def answer(number: int = 1, label: str = "bad") -> Answer:
    position = Position("support", "tickets", 3, number)
    return Answer(
        decision_id=TicketIdentity("support", "tickets", 3, number).decision_id("mood"),
        ticket_id=f"t{number}",
        task="mood",
        label=label,
        label_set=MOODS.version,
        reviewer="kim",
        at=AT,
        position=position,
    )


def record(value: Answer | bytes | None, offset: int = 0) -> Rec:
    raw = value.to_json() if isinstance(value, Answer) else value
    return Rec(raw, b"key", offset, topic="tickets.answers")


TRACING = Tracing("test", 0.0)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def handler(metrics: Metrics) -> AnswersHandler:
    return AnswersHandler(
        source="support",
        label_sets={"mood": MOODS},
        gold=partial(drawn, salt="salt", purpose="gold", share=0.5),
        labels_topic="labels",
        log_topic="log",
        dead_letters=DeadLetters("dead", 2**20, on_letter=metrics.dead),
        tracing=TRACING,
        observing=Observing(metrics, TRACING),
    )


async def emissions(handler: AnswersHandler, *batch: Rec) -> list[Emission]:
    items = [item async for group in handler.handle(batch) for item in group]
    return [item for item in items if isinstance(item, Emission)]


def labels(found: list[Emission]) -> list[Label]:
    return [Label.from_json(item.value or b"") for item in found if item.topic == "labels"]


async def test_an_answer_becomes_the_final_label_of_a_person(
    handler: AnswersHandler, metrics: Metrics
) -> None:
    said = answer()
    found = await emissions(handler, record(said))
    (label,) = labels(found)
    assert (label.label, label.source, label.revision, label.final) == ("bad", "person", 2, True)
    assert (label.confidence, label.votes, label.rule) == (None, (), Rule("person", 1, 1))
    assert (label.decision_id, label.position) == (said.decision_id, said.position)
    assert label.label_set == MOODS.version
    assert {item.key for item in found} == {b"t1/mood"}
    trace = TicketIdentity("support", "tickets", 3, 1).trace_id
    assert all(trace in dict(item.headers)["traceparent"].decode() for item in found)
    counted = 'streamer_labels_total{source="person",task="mood"} 1.0'
    assert counted in metrics.render().decode()


async def test_every_answer_is_logged_and_the_gold_sample_marked(handler: AnswersHandler) -> None:
    batch = [record(answer(number), number) for number in range(200)]
    found = [item for item in await emissions(handler, *batch) if item.topic == "log"]
    logs = [log_from_json(item.value or b"") for item in found]
    ids = [f"t{number}" for number in range(200)]
    gold = drawn(ids, "salt", "gold", 0.5)
    assert 0 < np.sum(gold) < 200
    assert [log.ticket_id for log in logs] == ids
    assert [log.gold for log in logs if isinstance(log, AnswerLog)] == gold.tolist()


async def test_the_last_answer_wins_and_over_any_other_label(handler: AnswersHandler) -> None:
    first, second = answer(label="good"), answer(label="bad")
    made = labels(await emissions(handler, record(first), record(second, 1)))
    before = replace(made[0], revision=1, source="judge", label="good")
    table = LabelTable()
    for place, label in enumerate([*made, before]):
        table.apply(LabelRecord("t1/mood", label, label.to_json(), 0, place, 0))
    state = table.of("t1", "mood")
    assert state is not None
    assert (state.label, state.source) == ("bad", "person")


async def test_a_repeat_says_the_same(handler: AnswersHandler) -> None:
    once, again = [labels(await emissions(handler, record(answer())))[0] for _ in range(2)]
    assert replace(once, decided_at="") == replace(again, decided_at="")


def changed(**fields: object) -> Callable[[Answer], bytes]:
    return lambda said: orjson.dumps(orjson.loads(said.to_json()) | fields)


REFUSED: dict[str, tuple[str, Callable[[Answer], bytes | None]]] = {
    "no JSON": ("unreadable_answer", lambda said: b"{"),
    "a list": ("unreadable_answer", lambda said: b"[]"),
    "nothing": ("unreadable_answer", lambda said: None),
    "no position": ("unreadable_answer", changed(position=None)),
    "another type": ("unreadable_answer", changed(ticket_id=7)),
    "a list for a label": ("unreadable_answer", changed(label=["bad"])),
    "an empty id": ("unreadable_answer", changed(ticket_id="")),
    "no time": ("unreadable_answer", changed(at="yesterday")),
    "unknown task": ("unknown_task", changed(task="weather")),
    "unknown label": ("unknown_label", changed(label="ugly")),
    "other label set": ("other_label_set", changed(label_set="abc")),
    "foreign id": ("foreign_decision", changed(decision_id="0" * 32)),
    "foreign source": (
        "foreign_decision",
        lambda said: replace(
            said,
            position=replace(said.position, source="sales"),
            decision_id=TicketIdentity("sales", "tickets", 3, 1).decision_id("mood"),
        ).to_json(),
    ),
    "a negative offset": (
        "unreadable_answer",
        lambda said: replace(said, position=replace(said.position, offset=-1)).to_json(),
    ),
}


@pytest.mark.parametrize(("reason", "change"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_no_answer_is_a_dead_letter_and_stops_nobody(
    handler: AnswersHandler, metrics: Metrics, reason: str, change: Callable[[Answer], bytes | None]
) -> None:
    bad = record(change(answer()), 7)
    found = await emissions(handler, bad, record(answer(2), 8))
    (dead,) = [item for item in found if item.topic == "dead"]
    assert DeadLetter.from_headers(dead.headers).reason == reason
    assert (dead.record, dead.value) == (bad, bad.value)
    assert [label.ticket_id for label in labels(found)] == ["t2"]
    assert f'streamer_dead_letters_total{{reason="{reason}"}} 1.0' in metrics.render().decode()


def releasing(metrics: Metrics, has_table: bool) -> AnswersHandler:
    return AnswersHandler(
        source="support",
        label_sets={"mood": MOODS},
        gold=lambda ids: np.zeros(len(ids), np.bool_),
        labels_topic="labels",
        log_topic="log",
        dead_letters=DeadLetters("dead", 2**20, on_letter=metrics.dead),
        tracing=TRACING,
        observing=Observing(metrics, TRACING),
        has_table=has_table,
    )


async def test_a_release_is_told_to_the_table_and_to_nobody_else(metrics: Metrics) -> None:
    given_up = replace(answer(label="of before"), label_set="0123456789ab", release=True)
    (only,) = await emissions(releasing(metrics, has_table=True), record(given_up))
    label = Label.from_json(only.value or b"")
    assert (only.topic, label.label, label.released, label.revision) == (
        "labels",
        "of before",
        True,
        2,
    )


async def test_without_a_table_nothing_can_be_released(metrics: Metrics) -> None:
    given_up = replace(answer(), release=True)
    (letter,) = await emissions(releasing(metrics, has_table=False), record(given_up))
    assert letter.topic == "dead"
    assert DeadLetter.from_headers(letter.headers).reason == "no_table"
