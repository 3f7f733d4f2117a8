import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from streamer.errors import ConfigError
from streamer.records import (
    Ballot,
    DeadLetter,
    Follower,
    JudgeRequest,
    Label,
    LabelSet,
    Position,
    Rule,
    Ticket,
    TicketIdentity,
    Vote,
)
from streamer.records.identities import decision_ids, digests, trace_ids
from streamer.records.label import label_key
from streamer.records.schema import RECORDS, schema

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text("abcdefgh_", min_size=1, max_size=8)
shares = st.floats(0, 1)
counts = st.integers(0, 2**53)
maybe = st.none()

votes = st.builds(Vote, names, maybe | names, maybe | names, maybe | shares, maybe | texts)
rules = st.builds(Rule, names, counts, counts, maybe | names, maybe | shares)
positions = st.builds(Position, names, names, counts, counts)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
plain = maybe | st.booleans() | numbers | texts
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
tickets = st.builds(
    Ticket, texts, texts, texts, maybe | texts, st.dictionaries(texts, values, max_size=3)
)
labels = st.builds(
    Label,
    ticket_id=texts,
    task=names,
    label=texts,
    confidence=maybe | shares,
    source=st.sampled_from(["workers", "judge", "fallback", "person"]),
    revision=counts,
    final=st.booleans(),
    votes=st.lists(votes, max_size=3).map(tuple),
    rule=rules,
    calibration=maybe | names,
    label_set=names,
    decision_id=names,
    position=positions,
    created_at=names,
    decided_at=names,
    judge=maybe | names,
)
vectors = maybe | st.lists(shares, max_size=4).map(tuple)
ballots = st.builds(
    Ballot, st.lists(votes, max_size=3).map(tuple), st.lists(vectors, max_size=3).map(tuple)
)


def requests(followers: st.SearchStrategy[tuple[Follower, ...]]) -> st.SearchStrategy[JudgeRequest]:
    return st.builds(
        JudgeRequest,
        ticket=tickets,
        task=names,
        label_set=names,
        ballot=ballots,
        rule=rules,
        decision_id=names,
        revision=counts,
        purpose=st.sampled_from(["decide", "audit", "verify"]),
        position=positions,
        created_at=names,
        traceparent=names,
        followers=followers,
    )


follower_labels = st.lists(names, max_size=2).map(tuple)
followers = st.builds(Follower, follower_labels, label=labels) | st.builds(
    Follower, follower_labels, request=requests(st.just(()))
)
full_requests = requests(st.lists(followers, max_size=2).map(tuple))
letters = st.builds(
    DeadLetter,
    names,
    texts,
    names,
    counts,
    counts,
    names,
    st.booleans(),
    maybe | names,
)


def validate(name: str, record: dict[str, Any]) -> None:
    Draft202012Validator(schema(name)).validate(record)


@given(labels)
def test_a_label_comes_back_as_it_was_and_meets_its_schema(label: Label) -> None:
    assert Label.from_json(label.to_json()) == label
    validate("label", json.loads(label.to_json()))


@given(full_requests)
def test_a_judge_request_comes_back_as_it_was_and_meets_its_schema(request: JudgeRequest) -> None:
    assert JudgeRequest.from_json(request.to_json()) == request
    validate("judge-request", json.loads(request.to_json()))


@given(tickets)
def test_a_ticket_meets_its_schema(ticket: Ticket) -> None:
    validate("ticket", json.loads(orjson.dumps(ticket)))


@given(letters, st.lists(st.tuples(names, st.binary(max_size=9)), max_size=3))
def test_a_dead_letter_comes_back_from_its_headers(
    letter: DeadLetter, before: list[tuple[str, bytes]]
) -> None:
    assert DeadLetter.from_headers([*before, *letter.headers()]) == letter


@given(letters, letters)
def test_the_newest_dead_letter_counts(first: DeadLetter, second: DeadLetter) -> None:
    assert DeadLetter.from_headers([*first.headers(), *second.headers()]) == second


def test_a_record_without_a_reason_is_no_dead_letter() -> None:
    with pytest.raises(KeyError):
        DeadLetter.from_headers([("traceparent", b"00")])


def test_a_schema_refuses_what_is_no_label() -> None:
    validator = Draft202012Validator(schema("label"))
    assert not validator.is_valid({"ticket_id": "7"})


def test_every_record_has_a_valid_schema() -> None:
    for name in RECORDS:
        Draft202012Validator.check_schema(schema(name))
    with pytest.raises(ConfigError, match="no record 'lable': use one of ticket, label"):
        schema("lable")


@pytest.mark.parametrize("value", [b"", b"[]", b"{", b'"text"', b"null", b'{"votes": 1}'])
def test_other_values_are_refused_with_the_errors_that_are_documented(value: bytes) -> None:
    for read in (Label.from_json, JudgeRequest.from_json):
        with pytest.raises((ValueError, TypeError, KeyError)):
            read(value)


def test_a_label_key_names_ticket_and_task() -> None:
    assert label_key("T-7", "intent") == b"T-7/intent"
    assert label_key("größe", "intent") == "größe/intent".encode()


# Written down: another value would make every stored decision a new one.
IDENTITY = TicketIdentity("shop", "tickets", 3, 1234)


def test_an_identity_stays_for_ever() -> None:
    assert IDENTITY.decision_id("intent") == "e923f06280fd70106a717ec728def814"
    assert IDENTITY.trace_id == "a95771edb9867ee6fcaae11d4c4e1c01"


@given(st.lists(st.tuples(names, names, counts, counts, names), min_size=2, unique=True))
def test_different_places_and_tasks_have_different_identities(
    places: list[tuple[str, str, int, int, str]],
) -> None:
    ids = {TicketIdentity(*place).decision_id(task) for *place, task in places}
    assert len(ids) == len(places)
    assert all(int(TicketIdentity(*place).trace_id, 16) > 0 for *place, _ in places)


@given(names, st.lists(st.tuples(names, counts, counts), min_size=1, max_size=20), names)
def test_many_identities_at_once_are_those_of_each(
    source: str, places: list[tuple[str, int, int]], task: str
) -> None:
    each = [TicketIdentity(source, *place) for place in places]
    known = digests(source, each)
    assert known == [identity.digest for identity in each]
    assert trace_ids(known) == [identity.trace_id for identity in each]
    ids = [identity.decision_id(task).encode() for identity in each]
    assert decision_ids(known, task) == ids


def test_the_bits_of_identities_are_spread_evenly() -> None:
    spread = [TicketIdentity("shop", "t", 0, offset) for offset in range(20_000)]
    words = np.frombuffer(b"".join(digests("shop", spread)), np.uint8)
    ones = np.unpackbits(words.reshape(-1, 16), axis=1).mean(axis=0)
    assert np.abs(ones - 0.5).max() < 4.5 * 0.5 / np.sqrt(20_000)


def test_a_label_set_knows_its_order() -> None:
    ordered, other = LabelSet(("yes", "no")), LabelSet(("no", "yes"))
    assert ordered.version != other.version
    assert ordered.version == LabelSet(("yes", "no")).version
    assert ordered == LabelSet(("yes", "no"))
    assert (ordered.index, len(ordered)) == ({"yes": 0, "no": 1}, 2)
    assert LabelSet(("a", "bc")).version != LabelSet(("ab", "c")).version
