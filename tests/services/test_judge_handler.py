"""What the judge service makes of requests; the judge is scripted here, and real elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import orjson
import pytest

from streamer.errors import TicketError
from streamer.judging.judge import EngineDead, Verdicts
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.judge_request import Ballot, Follower, JudgeRequest
from streamer.records.label import Label, Position, Rule, Vote
from streamer.records.labelset import LabelSet
from streamer.records.ticket import Ticket
from streamer.services.judge_handler import JudgeHandler
from streamer.services.memory import Memory
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.emission import Emission
from tests.services.records import Rec

LABELS = LabelSet(("good", "bad", "ugly"))
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


class Scripted:
    """Answers the label that a text begins with."""

    def __init__(self) -> None:
        self.scored: list[str] = []

    async def start(self) -> None: ...

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        return (LABELS,)

    def version(self, task: str, label_set: str) -> str:
        return "7"

    async def score(
        self,
        task: str,
        label_set: str,
        texts: Sequence[str],
        trace_headers: Sequence[Mapping[str, str] | None] | None = None,
    ) -> Verdicts:
        if label_set != LABELS.version:
            raise TicketError("unknown_label_set", label_set)
        if "die" in texts:
            raise EngineDead("the engine died; look into its log")
        self.scored += texts
        found = np.full((len(texts), 3), 0.05, np.float32)
        found[np.arange(len(texts)), [LABELS.index[text.split()[0]] for text in texts]] = 0.9
        return Verdicts(found, np.zeros(len(texts), bool))

    async def healthy(self) -> None: ...

    async def stop(self) -> None: ...


def request(text: str, task: str = "mood", number: int = 1) -> JudgeRequest:
    return JudgeRequest(
        ticket=Ticket(f"t{number}", text, "2026-01-01T00:00:00.000Z"),
        task=task,
        label_set=LABELS.version,
        ballot=Ballot((Vote("w", "1", "bad", 0.5),), ((0.2, 0.5, 0.3),)),
        rule=Rule("majority", 2, 2),
        decision_id=f"{number}-{task}",
        revision=0,
        purpose="decide",
        position=Position("support", "tickets", 3, number),
        created_at="2026-01-01T00:00:00.000Z",
        traceparent=TRACEPARENT,
    )


def record(made: JudgeRequest | bytes, offset: int = 0) -> Rec:
    value = made if isinstance(made, bytes) else made.to_json()
    return Rec(value, b"key", offset, topic="tickets.judge")


@pytest.fixture
def judge() -> Scripted:
    return Scripted()


@pytest.fixture
def handler(judge: Scripted) -> JudgeHandler:
    dead = DeadLetters("dead", 2**20)
    return JudgeHandler(judge, "labels", dead, Memory(100), Tracing("test", 0.0), Metrics())


async def emissions(handler: JudgeHandler, *batch: Rec) -> list[Emission]:
    items = [item async for group in handler.handle(batch) for item in group]
    return [item for item in items if isinstance(item, Emission)]


async def labels(handler: JudgeHandler, *batch: Rec) -> list[Label]:
    found = await emissions(handler, *batch)
    return [Label.from_json(e.value or b"") for e in found if e.topic == "labels"]


async def test_the_verdict_is_final_and_keeps_the_tickets_own_identity(
    handler: JudgeHandler,
) -> None:
    asked = request("ugly thing")
    (label,) = await labels(handler, record(asked, offset=99))
    assert (label.label, label.source, label.final, label.judge) == ("ugly", "judge", True, "7")
    assert label.confidence == pytest.approx(0.9, abs=1e-4)
    assert (label.decision_id, label.position) == (asked.decision_id, asked.position)
    assert label.votes == asked.ballot.votes


async def test_requests_of_several_tasks_are_all_answered(handler: JudgeHandler) -> None:
    batch = [record(request("good", f"task{i % 3}", i), i) for i in range(20)]
    assert len(await labels(handler, *batch)) == 20


async def test_a_repeat_is_republished_and_not_judged_again(
    handler: JudgeHandler, judge: Scripted
) -> None:
    first = await labels(handler, record(request("bad one")))
    again = await labels(handler, record(request("good now"), offset=5))
    assert again == first
    assert judge.scored == ["bad one"]


async def test_what_is_no_request_is_set_aside(handler: JudgeHandler) -> None:
    bad = [b"\xff", b"[]", b"{}", orjson.dumps({"ticket": 1}), b"null"]
    found = await emissions(handler, *[record(value, i) for i, value in enumerate(bad)])
    assert [dict(e.headers)["dead.reason"] for e in found] == [b"unreadable_request"] * len(bad)
    assert [e.value for e in found] == bad


async def test_a_label_set_that_is_not_held_is_a_dead_letter(handler: JudgeHandler) -> None:
    other = replace(request("good", number=2), label_set="0123")
    found = await emissions(handler, record(other), record(request("good")))
    assert sorted(e.topic for e in found) == ["dead", "labels"]
    (dead,) = [e for e in found if e.topic == "dead"]
    assert dead.value == other.to_json()
    assert dict(dead.headers)["dead.reason"] == b"unknown_label_set"


async def test_followers_count_only_where_the_verdict_meets_them(handler: JudgeHandler) -> None:
    child = request("ugly child", "reason")
    agreed = (await labels(handler, record(request("good", "why", 8))))[0]
    both = (Follower(("bad",), request=child), Follower(("bad", "ugly"), label=agreed))
    met = replace(request("bad parent", number=3), followers=both)
    found = await labels(handler, record(met))
    assert [(label.task, label.label) for label in found] == [
        ("mood", "bad"),
        ("why", "good"),
        ("reason", "ugly"),
    ]
    missed = replace(request("good parent", number=4), followers=both)
    assert [label.task for label in await labels(handler, record(missed))] == ["mood"]
    assert await labels(handler, record(met)) == found


async def test_a_dead_engine_ends_the_batch_with_nothing_remembered(
    handler: JudgeHandler, judge: Scripted
) -> None:
    with pytest.raises(EngineDead):
        await labels(handler, record(request("die")))
    assert not judge.scored


def test_memory_forgets_the_oldest_first() -> None:
    memory = Memory(2)
    for number in range(3):
        memory.keep(str(number), 0, [])
    assert [memory.recall(str(number), 0) for number in range(3)] == [None, (), ()]
    assert memory.recall("2", 1) is None
