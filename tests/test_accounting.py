"""The account must find what it is there to find: losses, double outcomes, repeats that differ."""

import orjson
from aiokafka.structs import ConsumerRecord

from streamer.config.kafka import Topics
from streamer.records.dead_letter import DeadLetter
from tests.accounting import Account, Place

TOPICS = Topics()


def record(
    topic: str,
    value: bytes | None,
    *,
    key: bytes = b"t1",
    offset: int = 0,
    at: int = 0,
    headers: tuple[tuple[str, bytes], ...] = (),
) -> ConsumerRecord:
    return ConsumerRecord(topic, 0, offset, at, 0, key, value, None, 0, 0, headers)


def given(offset: int = 0, value: bytes | None = b"{}") -> ConsumerRecord:
    return record(TOPICS.tickets, value, offset=offset)


def decided(said: str = "billing", at: int = 0, topic: str = TOPICS.labels) -> ConsumerRecord:
    body = {
        "position": {"partition": 0, "offset": 0},
        "task": "intent",
        "decision_id": "d",
        "revision": 0,
        "label": said,
    }
    return record(topic, orjson.dumps(body), at=at)


def deferred(at: int = 0) -> ConsumerRecord:
    return decided(at=at, topic=TOPICS.judge)


def dead(topic: str = TOPICS.tickets) -> ConsumerRecord:
    letter = DeadLetter("no_id", "", topic, 0, 0, "2026-01-31T08:00:00.000Z")
    return record(TOPICS.dead, b"{}", headers=tuple(letter.headers()))


def of(*records: ConsumerRecord) -> Account:
    account = Account(TOPICS)
    for item in records:
        account.add(item)
    return account


def test_one_kind_of_outcome_is_accounted_for() -> None:
    for outcome in (decided(), deferred(), dead()):
        assert of(given(), outcome).unaccounted(["intent"]) == {}
    assert of(given(), deferred(), decided()).totals(["intent"]) == {"label": 1}
    assert of(given(), deferred(), dead(TOPICS.judge)).totals(["intent"]) == {"dead letter": 1}


def test_a_deletion_is_accounted_for_by_its_key() -> None:
    gone = record(TOPICS.labels, None, key=b"t1/intent")
    assert of(given(value=None), gone).totals(["intent"]) == {"deletion": 1}
    other = record(TOPICS.labels, None, key=b"t2/intent")
    assert of(given(value=None), other).unaccounted(["intent"]) == {Place(0, 0, "intent"): set()}


def test_a_loss_is_found() -> None:
    account = of(given(0), given(1), decided())
    assert account.unaccounted(["intent"]) == {Place(0, 1, "intent"): set()}
    assert Place(0, 0, "other") in of(given(), decided()).unaccounted(["intent", "other"])


def test_two_kinds_of_outcome_are_found() -> None:
    found = of(given(), decided(), dead()).unaccounted(["intent"])
    assert found == {Place(0, 0, "intent"): {"label", "dead letter"}}


def test_repeats_are_counted_and_those_that_differ_found() -> None:
    assert (of(decided(), deferred()).repeats, of(decided(), decided()).repeats) == (0, 1)
    assert of(decided(), decided()).differing == []
    assert of(decided(), decided("shipping")).differing == [Place(0, 0, "intent")]


def test_a_kill_hit_what_was_published_shortly_before_and_again_after_it() -> None:
    account = of(decided(at=1000), decided(at=9000))
    assert account.hits([1500]) == [1]
    assert account.hits([1500, 8000]) == [1, 0]
    assert account.hits([999, 9000]) == [0, 0]
    assert account.hits([500, 9500]) == [0, 0]
    assert account.hits([5000]) == [0]
    assert of(decided(at=1000), deferred(at=2000)).hits([1500]) == [0]


def test_what_is_no_decision_is_kept_apart() -> None:
    assert len(of(record(TOPICS.labels, b"{")).unreadable) == 1
