"""What the judge service makes of requests; the judge is scripted here, and real elsewhere."""

from dataclasses import replace

import orjson
import pytest

from streamer.judging.judge import EngineDead
from streamer.records.judge_request import Ballot, Follower
from streamer.services.judge.recent_results import RecentResults
from tests.services.judging import Run, decided, record, request

OTHER_TRACEPARENT = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01"
ONE = request("bad one").ticket


async def test_the_verdict_is_final_and_keeps_the_tickets_own_identity() -> None:
    asked = request("ugly thing", calibration="c1")
    (label,) = (await Run().of(record(asked, offset=99))).labels
    assert (label.label, label.source, label.final, label.judge) == ("ugly", "judge", True, "7")
    assert label.confidence == 0.9
    assert (label.decision_id, label.position) == (asked.decision_id, asked.position)
    assert (label.votes, label.calibration) == (asked.ballot.votes, "c1")
    assert label.after is not None
    assert (label.after.kind, label.after.alpha, label.verdict) == ("v3", 0, None)


async def test_requests_of_several_tasks_are_all_answered() -> None:
    batch = [record(request("good", f"task{i % 3}", i), i) for i in range(20)]
    assert len((await Run().of(*batch)).labels) == 20


async def test_a_repeat_is_republished_and_not_judged_again() -> None:
    run = await Run().of(request("bad one", uniform=True))
    first = [(e.topic, e.key, e.value) for e in run.emissions]
    # What the workers said may differ, when the ticket is read again.
    again = request("bad one", uniform=True, ballot=Ballot((), ()), traceparent=OTHER_TRACEPARENT)
    await run.of(record(again, offset=5))
    assert [(e.topic, e.key, e.value) for e in run.emissions] == first
    assert run.judge.scored == ["bad one"]


async def test_a_ticket_of_a_topic_that_was_made_again_is_judged_for_itself() -> None:
    run = await Run().of(request("bad one"))
    (old,) = run.labels
    for ticket in (
        replace(ONE, id="other", text="good one"),
        replace(ONE, text="ugly one"),
        replace(ONE, created_at="2026-02-01T00:00:00.000Z"),
    ):
        made = replace(request("bad one"), ticket=ticket, created_at=ticket.created_at)
        (label,) = (await run.of(made)).labels
        assert label.decision_id == old.decision_id
        assert (label.ticket_id, label.created_at) == (ticket.id, ticket.created_at)
        assert label.label == ticket.text.split()[0]


async def test_a_repeat_of_what_a_person_is_asked_is_judged_again() -> None:
    # A review holds the whole ticket: remembered by the hundred thousand it would fill the memory.
    run = Run(tasks=decided(review_below=1.0))
    child = (Follower(("bad",), request=request("ugly child", "reason")),)
    asked = request("bad one", purpose="verify", candidate="bad", followers=child)
    first = [(e.topic, e.key) for e in (await run.of(asked)).emissions]
    assert [topic for topic, _ in first] == ["labels", "review", "review"]
    assert [(e.topic, e.key) for e in (await run.of(asked)).emissions] == first
    assert run.judge.scored == ["bad one", "ugly child"] * 2
    assert run.metric("streamer_republished_total", "mood") == 0


async def test_a_repeat_of_another_purpose_is_judged() -> None:
    run = await Run().of(request("bad one"))
    await run.of(request("bad one", purpose="audit"))
    assert [e.topic for e in run.emissions] == ["log"]
    assert len(run.judge.scored) == 2


async def test_what_is_no_request_is_set_aside() -> None:
    bad = [b"\xff", b"[]", b"{}", orjson.dumps({"ticket": 1}), b"null"]
    found = (await Run().of(*[record(value, i) for i, value in enumerate(bad)])).emissions
    assert [dict(e.headers)["dead.reason"] for e in found] == [b"unreadable_request"] * len(bad)
    assert [e.value for e in found] == bad


async def test_a_label_set_that_is_not_held_is_a_dead_letter_each_time() -> None:
    other = replace(request("good", number=2), label_set="0123")
    run = await Run().of(other, request("good"))
    assert sorted(e.topic for e in run.emissions) == ["dead", "labels"]
    for _ in range(2):
        (dead,) = (await run.of(other)).emissions
        assert dead.value == other.to_json()
        assert dict(dead.headers)["dead.reason"] == b"unknown_label_set"


async def test_a_request_whose_follower_died_is_judged_again_when_it_is_replayed() -> None:
    run = Run()
    child = replace(request("ugly child", "reason"), label_set="0123")
    asked = request("bad parent", followers=(Follower(("bad",), request=child),))
    for _ in range(2):
        found = (await run.of(asked)).emissions
        assert [e.topic for e in found if e.topic != "log"] == ["labels", "dead"]


async def test_followers_count_only_where_the_verdict_meets_them() -> None:
    run = Run()
    child = request("ugly child", "reason")
    agreed = (await run.of(request("good", "why", 8))).labels[0]
    both = (Follower(("bad",), request=child), Follower(("bad", "ugly"), label=agreed))
    met = request("bad parent", number=3, followers=both)
    found = (await run.of(met)).labels
    assert [(label.task, label.label) for label in found] == [
        ("mood", "bad"),
        ("why", "good"),
        ("reason", "ugly"),
    ]
    missed = request("good parent", number=4, followers=both)
    assert [label.task for label in (await run.of(missed)).labels] == ["mood"]
    assert (await run.of(met)).labels == found


async def test_followers_go_by_the_label_that_stands_after_the_rule() -> None:
    run = Run(tasks=decided("v3", 1.0))
    child = request("ugly child", "reason")
    followers = (Follower(("good",), request=child),)
    await run.of(request("bad parent", candidate="good", followers=followers))
    assert [(label.task, label.label, label.source) for label in run.labels] == [
        ("mood", "good", "workers"),
        ("reason", "ugly", "judge"),
    ]


async def test_a_dead_engine_ends_the_batch_with_nothing_remembered() -> None:
    run = Run()
    with pytest.raises(EngineDead):
        await run.of(request("die"))
    assert not run.judge.scored


def test_memory_forgets_the_oldest_first() -> None:
    memory = RecentResults(2)
    asked = [request("good", number=number) for number in range(3)]
    for one in asked:
        memory.keep(one, [])
    assert [memory.recall(one) for one in asked] == [None, (), ()]
    assert memory.recall(replace(asked[2], revision=1)) is None
    assert memory.recall(replace(asked[2], purpose="audit")) is None
