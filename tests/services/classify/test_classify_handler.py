"""What classify makes of a batch, with real workers on a real Triton."""

import itertools
from collections import Counter

import orjson
import pytest

from streamer.decide.chow import Chow
from streamer.decide.votes import VoteRule
from streamer.records.labelset import LabelSet
from streamer.services.classify.task import Condition
from streamer.stream.handler import Emission
from tests.conftest import ECHO_LABELS, ECHO_MODELS
from tests.services.making import MakeHandler, votes
from tests.services.records import Rec, broken, ticket


async def test_an_agreed_label_carries_who_said_what_and_asks_no_judge(make: MakeHandler) -> None:
    run = await make().of(record := ticket(votes(1, 1, 2)))
    (label,) = run.labels
    assert not run.requests
    assert (label.label, label.source, label.revision, label.final) == (
        "billing",
        "workers",
        0,
        True,
    )
    assert [(vote.worker, vote.label) for vote in label.votes] == [
        ("echo_a", "billing"),
        ("echo_b", "billing"),
    ]
    assert all(vote.version == "1" for vote in label.votes)
    assert label.confidence == pytest.approx(0.9, abs=1e-4)
    assert (label.rule.kind, label.rule.quorum, label.rule.of) == ("majority", 2, 3)
    assert label.position.offset == record.offset
    assert label.label_set == LabelSet(ECHO_LABELS).version
    assert run.asked("echo_c") == 0


async def test_every_pattern_of_votes_ends_where_the_rule_says(make: MakeHandler) -> None:
    patterns = list(itertools.product(range(3), repeat=3))
    records = [ticket(votes(*pattern)) for pattern in patterns]
    run = await make().of(*records)
    labels = {label.ticket_id: label.label for label in run.labels}
    requests = {request.ticket.id for request in run.requests}
    assert not labels.keys() & requests
    for pattern, record in zip(patterns, records, strict=True):
        name = f"t{record.offset}"
        most, count = Counter(pattern).most_common(1)[0]
        if count >= 2:
            assert labels[name] == ECHO_LABELS[most]
        else:
            assert name in requests
    assert run.asked("echo_c") == sum(a != b for a, b, _ in patterns)


async def test_agreed_labels_leave_before_the_third_worker_is_asked(make: MakeHandler) -> None:
    run = await make().of(ticket(votes(1, 2, 3)), ticket(votes(0, 0)))
    first, second = run.groups
    assert [item.topic for item in first if isinstance(item, Emission)] == ["labels"]
    assert [item.topic for item in second if isinstance(item, Emission)] == ["judge"]


async def test_unanimity_asks_the_third_only_where_two_agree(make: MakeHandler) -> None:
    rule = VoteRule("unanimity", 3)
    records = [ticket(votes(1, 1, 1)), ticket(votes(1, 1, 2)), ticket(votes(1, 2, 2))]
    run = await make(rule=rule).of(*records)
    assert [label.label for label in run.labels] == ["billing"]
    assert len(run.requests) == 2
    assert run.asked("echo_c") == 2


async def test_one_worker_decides_where_it_is_sure_enough(make: MakeHandler) -> None:
    # An echo worker gives its label a probability of 0.9.
    for alpha, labels in ((0.2, ["billing"]), (0.05, [])):
        run = await make(workers=ECHO_MODELS[:1], rule=Chow(alpha, 1)).of(ticket(votes(1)))
        assert [label.label for label in run.labels] == labels
        assert len(run.requests) == 1 - len(labels)


async def test_one_worker_of_three_decides_and_the_others_are_recorded(make: MakeHandler) -> None:
    run = await make(rule=Chow(0.2, 3, worker=2)).of(ticket(votes(0, 0, 1)))
    (label,) = run.labels
    assert (label.label, label.rule.worker, label.rule.quorum) == ("billing", "echo_c", 1)
    assert [vote.label for vote in label.votes] == ["account", "account", "billing"]


async def test_a_judge_request_holds_ticket_ballot_and_identity(make: MakeHandler) -> None:
    run = await make().of(ticket(votes(0, 1, 2), product="router"))
    (request,) = run.requests
    assert request.ticket.fields["product"] == "router"
    assert [vote.label for vote in request.ballot.votes] == ["account", "billing", "shipping"]
    assert all(vector and len(vector) == len(ECHO_LABELS) for vector in request.ballot.vectors)
    assert (request.task, request.revision, request.purpose) == ("intent", 0, "decide")
    (emission,) = [item for item in run.items if isinstance(item, Emission)]
    assert emission.key == f"{request.ticket.id}/intent".encode()
    assert dict(emission.headers)["traceparent"].decode() == request.traceparent


async def test_two_workers_with_an_unusable_answer_go_to_the_judge(make: MakeHandler) -> None:
    run = await make(workers=ECHO_MODELS[:2]).of(ticket("#nan"), ticket(votes(1, 1)))
    assert [label.label for label in run.labels] == ["billing"]
    (request,) = run.requests
    assert [vote.abstained for vote in request.ballot.votes] == ["unusable", "unusable"]
    assert request.ballot.vectors == (None, None)


async def test_all_three_unusable_ask_the_judge_and_not_the_third(make: MakeHandler) -> None:
    run = await make().of(ticket("#nan"))
    assert len(run.requests) == 1
    assert run.asked("echo_c") == 0


async def test_a_decision_id_is_the_same_on_every_delivery(make: MakeHandler) -> None:
    record = ticket(votes(1, 1))
    first = (await make().of(record)).labels[0]
    again = (await make().of(record)).labels[0]
    assert first.decision_id == again.decision_id
    assert (await make().of(ticket(votes(1, 1)))).labels[0].decision_id != first.decision_id


async def test_bad_records_become_dead_letters_and_disturb_nobody(make: MakeHandler) -> None:
    bad = {
        b"\xff\xfe{": "unreadable",
        b"[1, 2]": "unreadable",
        b'{"text": "no id"}': "no_id",
        b'{"id": "x", "text": "  "}': "no_text",
        b'{"id": {"a": 1}, "text": "x"}': "no_id",
        b'{"id": "x", "text": "' + b"a" * 2000 + b'"}': "too_large",
    }
    records = [broken(value, b"key") for value in bad]
    run = await make(max_bytes=1500).of(records[0], ticket(votes(1, 1)), *records[1:])
    assert len(run.labels) == 1
    for record, emission, reason in zip(records, run.dead, bad.values(), strict=True):
        headers = dict(emission.headers)
        assert (emission.key, emission.value) == (record.key, record.value)
        assert headers["dead.reason"].decode() == reason
        assert headers["dead.offset"].decode() == str(record.offset)


async def test_a_deletion_removes_the_labels_of_every_task(make: MakeHandler) -> None:
    run = await make({"intent": None, "mood": None}).of(broken(None, b"t7"))
    found = [(item.key, item.value) for item in run.items if isinstance(item, Emission)]
    assert found == [(b"t7/intent", None), (b"t7/mood", None)]


async def test_a_deletion_without_a_key_is_a_dead_letter(make: MakeHandler) -> None:
    run = await make().of(broken(None))
    assert dict(run.dead[0].headers)["dead.reason"] == b"no_id"


async def test_a_task_sees_only_the_tickets_of_its_condition(make: MakeHandler) -> None:
    tasks = {
        "bank": Condition(("bank",), field="/meta/source"),
        "air": Condition(("airline", "airport"), field="/meta/source"),
    }
    run = await make(tasks).of(
        ticket(votes(1, 1), meta={"source": "bank"}),
        ticket(votes(2, 2), meta={"source": "airport"}),
        ticket(votes(2, 2), meta={"source": "other"}),
    )
    assert sorted((label.task, label.label) for label in run.labels) == [
        ("air", "shipping"),
        ("bank", "billing"),
    ]
    assert [item.why for item in run.settled] == ["no task applies"]


async def test_a_task_may_depend_on_another_tasks_agreed_label(make: MakeHandler) -> None:
    tasks = {"intent": None, "reason": Condition(("billing",), task="intent")}
    run = await make(tasks).of(ticket(votes(1, 1)), ticket(votes(2, 2)))
    assert sorted((label.task, label.label) for label in run.labels) == [
        ("intent", "billing"),
        ("intent", "shipping"),
        ("reason", "billing"),
    ]


async def test_what_depends_on_a_deferred_label_travels_with_the_request(make: MakeHandler) -> None:
    tasks = {"intent": None, "reason": Condition(("billing", "account"), task="intent")}
    run = await make(tasks).of(ticket(votes(0, 1, 2)))
    assert not run.labels
    (request,) = run.requests
    (follower,) = request.followers
    assert follower.labels == ("billing", "account")
    assert follower.label is None
    assert follower.request is not None
    assert (follower.request.task, follower.request.followers) == ("reason", ())


async def test_the_users_own_shape_is_read_by_pointers(make: MakeHandler) -> None:
    run = make(
        id="/ticket/number",
        text=("/subject", "/description"),
        subject="/subject",
        created_at="/opened",
    )
    value = orjson.dumps(
        {
            "ticket": {"number": 42},
            "subject": "#echo_a=1",
            "description": "#echo_b=2 #echo_c=3",
            "opened": 1_700_000_000,
        }
    )
    await run.of(broken(value))
    (request,) = run.requests
    assert request.ticket.id == "42"
    assert request.ticket.text == "#echo_a=1\n#echo_b=2 #echo_c=3"
    assert request.ticket.subject == "#echo_a=1"
    assert request.created_at == "2023-11-14T22:13:20.000Z"


async def test_a_decoder_of_the_user_reads_other_formats(make: MakeHandler) -> None:
    def decode(key: bytes | None, value: bytes, headers: object) -> dict[str, str]:
        name, text = value.decode().split("|")
        return {"id": name, "text": text}

    run = await make(decoder=decode).of(broken(f"a1|{votes(2, 2)}".encode()), broken(b"no bar"))
    assert [(label.ticket_id, label.label) for label in run.labels] == [("a1", "shipping")]
    assert dict(run.dead[0].headers)["dead.reason"] == b"unreadable"


async def test_an_incoming_trace_goes_on_and_never_doubles(make: MakeHandler) -> None:
    parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    record = ticket(votes(1, 1))
    traced = Rec(record.value, record.key, record.offset, headers=[("traceparent", parent)])
    run = await make().of(traced)
    (emission,) = [item for item in run.items if isinstance(item, Emission)]
    assert [name for name, _ in emission.headers].count("traceparent") == 1
    assert dict(emission.headers)["traceparent"].split(b"-")[1] == parent.split(b"-")[1]
