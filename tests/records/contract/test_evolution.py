"""Old readers read new records, and new readers old ones."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from jsonschema import Draft202012Validator, ValidationError

from streamer.records import DeadLetter, JudgeRequest, Label
from streamer.records.alarm import Alarm
from streamer.records.answer import Answer
from streamer.records.dead_letter import Handled
from streamer.records.examples import EXAMPLES, example
from streamer.records.log import BallotLog, log_from_json
from streamer.records.reading import made
from streamer.records.review import Review
from streamer.records.schema import RECORDS, schema
from streamer.records.summary import Summary
from streamer.records.ticket import Ticket
from tests.records.contract.breaks import breaks
from tests.records.test_records import full_requests, labels

V1 = Path(__file__).parent / "v1"
Schema = dict[str, Any]

READERS: dict[str, Callable[[bytes], Any]] = {
    "ticket": lambda value: made(Ticket, orjson.loads(value)),
    "label": Label.from_json,
    "judge-request": JudgeRequest.from_json,
    "dead-letter": lambda value: DeadLetter.from_headers(
        [("dead." + name, text.encode()) for name, text in as_text(orjson.loads(value))]
    ),
    "handled": Handled.from_json,
    "review": Review.from_json,
    "answer": Answer.from_json,
    "log": log_from_json,
    "summary": Summary.from_json,
    "alarm": Alarm.from_json,
}


def as_text(raw: Schema) -> Iterator[tuple[str, str]]:
    for name, value in raw.items():
        if value is not None:
            yield name, str(value).lower() if isinstance(value, bool) else str(value)


def frozen(name: str) -> Schema:
    loaded: Schema = json.loads((V1 / f"{name}.schema.json").read_text(encoding="utf-8"))
    return loaded


def kept(name: str) -> list[Schema]:
    loaded: list[Schema] = json.loads((V1 / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every object in a schema with a property of it."""
    if isinstance(node, dict):
        yield from ((at, name) for name in node.get("properties", {}))
        for key, inner in node.items():
            yield from places(inner, (*at, key))
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from places(inner, (*at, number))


def inside(node: Any, at: tuple[Any, ...]) -> Any:
    for key in at:
        node = node[key]
    return node


def holds(read: Any, raw: Any) -> bool:
    """Whether all that was written is still there, at every depth."""
    if isinstance(raw, dict):
        return isinstance(read, dict) and all(
            name in read and holds(read[name], part) for name, part in raw.items()
        )
    if isinstance(raw, list):
        return len(read) == len(raw) and all(map(holds, read, raw))
    return bool(read == raw)


def grown(record: Any) -> Any:
    """A record as a later release might write it: a field more in every object."""
    if is_dataclass(record):
        own = {field.name: grown(getattr(record, field.name)) for field in fields(record)}
        return own | {"of_a_later_release": {"any": ["thing"]}}
    return [grown(item) for item in record] if isinstance(record, tuple) else record


def test_every_record_is_in_the_contract() -> None:
    assert set(RECORDS) == set(READERS) == set(EXAMPLES)
    assert {path.name.partition(".")[0] for path in V1.iterdir()} == set(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_nothing_breaks_the_first_version(name: str) -> None:
    assert breaks(frozen(name), schema(name)) == []


@pytest.mark.parametrize("name", RECORDS)
def test_what_is_written_today_meets_the_first_version(name: str) -> None:
    valid = Draft202012Validator(frozen(name))
    for raw in example(name):
        valid.validate(raw)


@given(labels)
def test_any_label_meets_the_first_version(label: Label) -> None:
    Draft202012Validator(frozen("label")).validate(orjson.loads(label.to_json()))


@given(full_requests)
def test_any_judge_request_meets_the_first_version(request: JudgeRequest) -> None:
    Draft202012Validator(frozen("judge-request")).validate(orjson.loads(request.to_json()))


@pytest.mark.parametrize("name", RECORDS)
def test_what_the_first_version_wrote_is_read_today(name: str) -> None:
    assert kept(name)
    for raw in kept(name):
        Draft202012Validator(frozen(name)).validate(raw)
        read = READERS[name](orjson.dumps(raw))
        assert holds(orjson.loads(orjson.dumps(read)), raw)


def test_a_ballot_that_was_logged_before_there_were_shadows_has_none() -> None:
    old = [raw for raw in kept("log") if raw["kind"] == "ballot"]
    assert old
    for raw in old:
        assert "shadows" not in raw
        read = log_from_json(orjson.dumps(raw))
        assert isinstance(read, BallotLog)
        assert read.shadows == ()


@pytest.mark.parametrize("name", RECORDS)
def test_what_a_later_release_adds_is_left_out(name: str) -> None:
    for record in EXAMPLES[name]:
        later = grown(record)
        assert READERS[name](orjson.dumps(later)) == record
        Draft202012Validator(frozen(name)).validate(orjson.loads(orjson.dumps(later)))


def test_a_strict_reader_would_fail() -> None:
    (label,) = EXAMPLES["label"]
    with pytest.raises(TypeError, match="of_a_later_release"):
        Label(**grown(label))


@pytest.mark.parametrize("name", RECORDS)
def test_what_the_schema_lets_be_left_out_may_be_missing(name: str) -> None:
    for record in EXAMPLES[name]:
        raw = orjson.loads(orjson.dumps(record))
        optional = [one.name for one in fields(record) if one.name not in required(name, record)]
        least = {field: value for field, value in raw.items() if field not in optional}
        read = READERS[name](orjson.dumps(least))
        assert {field: getattr(read, field) for field in least} == {
            field: getattr(record, field) for field in least
        }


def required(name: str, record: Any) -> list[str]:
    whole = schema(name)
    body = whole if "required" in whole else whole["$defs"][type(record).__name__]
    found: list[str] = body["required"]
    return found


def test_a_missing_required_field_is_no_record() -> None:
    raw = {name: value for name, value in example("label")[0].items() if name != "decision_id"}
    with pytest.raises(TypeError, match="decision_id"):
        Label.from_json(orjson.dumps(raw))
    with pytest.raises(ValidationError, match="decision_id"):
        Draft202012Validator(frozen("label")).validate(raw)


def test_values_that_are_not_known_yet_are_read() -> None:
    raw = example("label")[0] | {"source": "oracle", "verdict": "doubted"}
    assert Label.from_json(orjson.dumps(raw)).source == "oracle"
    Draft202012Validator(frozen("label")).validate(raw)


PLACES = [(name, at, field) for name in RECORDS for at, field in places(schema(name))]


@pytest.mark.parametrize(("name", "at", "field"), PLACES)
def test_a_breaking_change_is_found(name: str, at: tuple[Any, ...], field: str) -> None:
    old = schema(name)
    assert breaks(old, changed(old, at, lambda body: body["properties"].pop(field)))
    assert breaks(old, changed(old, at, lambda body: body["properties"].update({field: RETYPED})))
    assert breaks(old, changed(old, at, lambda body: toggle(body["required"], field)))


RETYPED = {"type": "object", "additionalProperties": {"type": "boolean"}}


def toggle(required: list[str], field: str) -> None:
    if field in required:
        required.remove(field)
    else:
        required.append(field)


def changed(old: Schema, at: tuple[Any, ...], change: Callable[[Schema], Any]) -> Schema:
    new = copy.deepcopy(old)
    change(inside(new, at))
    return new


@pytest.mark.parametrize(("name", "at", "field"), [one for one in PLACES if one[0] == "label"])
def test_a_new_optional_field_breaks_nothing(name: str, at: tuple[Any, ...], field: str) -> None:
    later = {f"{field}_too": {"type": "boolean", "default": False}}
    old = schema(name)
    assert breaks(old, changed(old, at, lambda body: body["properties"].update(later))) == []


def test_a_new_value_breaks_nothing_and_one_that_is_gone_does() -> None:
    old = schema("label")
    more = changed(old, ("properties", "source"), lambda body: body["examples"].append("oracle"))
    assert breaks(old, more) == []
    assert breaks(more, old) == ["$.source: the value 'oracle' is gone"]


def test_a_record_of_today_without_a_required_field_fails_the_first_version() -> None:
    (label,) = EXAMPLES["label"]
    for name in ("ticket_id", "position", "decision_id"):
        raw = {key: value for key, value in asdict(label).items() if key != name}
        assert not Draft202012Validator(frozen("label")).is_valid(raw)
    assert not Draft202012Validator(frozen("label")).is_valid(asdict(label) | {"revision": "0"})
