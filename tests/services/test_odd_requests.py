"""Judge requests that somebody else wrote: whatever stands in them costs that one alone."""

import copy
from typing import Any

import orjson
import pytest

from streamer.records.examples import example
from tests.records.test_reading import ODD, changed, places
from tests.services.judging import Run, decided, record, request

SOUND = request("good thing", number=2)
ODDER: tuple[Any, ...] = (
    *ODD,
    "",
    -1,
    0,
    2**63,
    1e308,
    "\u00e9",
    "2026-13-45",
    [0.1, 0.2, 0.7],
    [[]],
)


def base() -> dict[str, Any]:
    """Everything that a request can hold, of a task and labels that the judge knows."""
    raw: dict[str, Any] = orjson.loads(request("good thing").to_json())
    full = example("judge-request")[0]
    raw = {**full, **{name: value for name, value in raw.items() if value not in (None, [], ())}}
    follower = {
        "labels": ["good"],
        "label": None,
        "request": copy.deepcopy(raw) | {"followers": []},
    }
    return raw | {"followers": [follower], "candidate": "good", "ensemble": [0.2, 0.5, 0.3]}


@pytest.mark.parametrize("purpose", ["decide", "verify", "audit"])
async def test_no_field_of_any_type_stops_the_judge_or_costs_a_neighbour(purpose: str) -> None:
    raw = base() | {"purpose": purpose, "uniform": purpose == "audit"}
    wholes = [changed(raw, at, odd) for at, _ in places(raw) for odd in ODDER]
    letters = 0
    for value in wholes:
        run = Run(tasks=decided("diff", 0.1))
        await run.of(record(value, 1), SOUND)
        assert SOUND.decision_id in [label.decision_id for label in run.labels]
        for letter in run.to("dead"):
            assert letter.value == value
        letters += len(run.to("dead"))
    assert letters > len(wholes) / 4


async def test_the_letter_says_what_is_wrong_and_where() -> None:
    run = Run()
    await run.of(record(changed(base(), ("position", "offset"), "5")), SOUND)
    (letter,) = run.to("dead")
    headers = dict(letter.headers)
    assert headers["dead.reason"] == b"unreadable_request"
    assert headers["dead.error"] == b"position.offset should be a whole number, and is a text"


@pytest.mark.parametrize("follower", [False, True])
async def test_a_request_too_deep_for_a_review_is_a_dead_letter(follower: bool) -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    raw = base()
    at = raw["followers"][0]["request"] if follower else raw
    at["ticket"]["fields"] = {"x": "DEEP"}
    value = orjson.dumps(raw).replace(b'"DEEP"', b"[" * 300 + b"]" * 300)
    run = Run()
    await run.of(record(value), SOUND)
    (letter,) = run.to("dead")
    assert dict(letter.headers)["dead.reason"] == b"too_deep"
    assert [label.ticket_id for label in run.labels] == [SOUND.ticket.id]


async def test_a_purpose_of_a_later_release_is_not_taken_for_one_of_ours() -> None:
    run = Run()
    await run.of(record(changed(base(), ("purpose",), "explain")), SOUND)
    assert [dict(one.headers)["dead.reason"] for one in run.to("dead")] == [b"unreadable_request"]
    assert len(run.labels) == 1
