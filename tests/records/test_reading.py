"""Whatever somebody wrote in place of a field is named, in every record and at every depth."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from streamer.records.answer import Answer
from streamer.records.examples import example
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from streamer.records.log import log_from_json
from streamer.records.reading import FieldError
from streamer.records.review import Review

READERS: dict[str, Callable[[bytes], object]] = {
    "label": Label.from_json,
    "judge-request": JudgeRequest.from_json,
    "review": Review.from_json,
    "answer": Answer.from_json,
    "log": log_from_json,
}
ODD: tuple[Any, ...] = ("text", 5, 1.5, True, None, [], ["text"], {}, {"a": 1}, [None], [[1]])
Path = tuple[Any, ...]


def places(raw: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything below the top of a decoded record, but what is in a ticket's own fields."""
    parts = (
        raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    )
    for step, part in parts:
        if at[-2:] != ("ticket", "fields") and at[-1:] != ("fields",):
            yield (*at, step), part
            yield from places(part, (*at, step))


def changed(raw: Any, at: Path, value: Any) -> bytes:
    made = copy.deepcopy(raw)
    inner = made
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    return orjson.dumps(made)


def refusal(name: str, value: bytes) -> FieldError | None:
    try:
        assert orjson.dumps(READERS[name](value))
    except FieldError as error:
        return error
    return None


@pytest.mark.parametrize("name", READERS)
def test_another_type_is_named_by_its_path_or_is_read_as_it_was_written(name: str) -> None:
    refused = 0
    for raw in example(name):
        for at, value in places(raw):
            for odd in ODD:
                told = refusal(name, changed(raw, at, odd))
                if told is None:
                    alike = type(odd) is type(value) or {type(odd), type(value)} <= {int, float}
                    assert alike or odd is None or value is None or isinstance(odd, list), at
                else:
                    refused += 1
                    assert told.path[: len(at)] == tuple(map(str, at))
    assert refused > 100


@pytest.mark.parametrize(
    ("field", "odd", "told"),
    [
        (("created_at",), 5, "created_at should be a text, and is a whole number"),
        (("traceparent",), None, "traceparent should be a text, and is null"),
        (("candidate",), ["good"], "candidate should be a text, and is a list"),
        (("uniform",), 1, "uniform should be true or false, and is a whole number"),
        (("revision",), True, "revision should be a whole number, and is true or false"),
        (("ensemble",), [1, "a"], "ensemble.1 should be a number, and is a text"),
        (("followers",), "ab", "followers should be a list, and is a text"),
        (("position", "offset"), "1", "position.offset should be a whole number, and is a text"),
        (("ticket", "fields"), [], "ticket.fields should be an object, and is a list"),
        (
            ("ballot", "votes", 0, "probability"),
            "x",
            "ballot.votes.0.probability should be a number",
        ),
        (
            ("ballot", "vectors", 0),
            [0.1, None],
            "ballot.vectors.0.1 should be a number, and is null",
        ),
        (("segment",), {"number": "x", "version": "v"}, "segment.number should be a whole number"),
    ],
)
def test_what_is_told(field: Path, odd: Any, told: str) -> None:
    raw = example("judge-request")[0]
    with pytest.raises(FieldError) as error:
        JudgeRequest.from_json(changed(raw, field, odd))
    assert str(error.value).startswith(told)


@pytest.mark.parametrize("name", READERS)
def test_a_field_that_is_missing_is_named(name: str) -> None:
    for raw in example(name):
        for field in raw:
            rest = {one: value for one, value in raw.items() if one != field}
            told = refusal(name, orjson.dumps(rest))
            assert told is None or told.path == (field,)


@pytest.mark.parametrize("value", [b"", b"\xff", b"3", b"[]", b"null", b'"x"', b"{}"])
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_record_is_refused(name: str, value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        READERS[name](value)
