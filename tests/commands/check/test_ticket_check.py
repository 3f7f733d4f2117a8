from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from streamer.commands.check.ticket_check import TicketReport, look
from streamer.config import Settings, load
from streamer.services.intake.ticket_reader import TicketReader
from tests.services.records import Rec

LONG = "I was charged twice this month and nobody answers."


def ticket(number: int) -> dict[str, Any]:
    return {
        "ticket": {"number": number, "title": f"Bill {number}, again", "body": LONG, "tags": ["x"]},
        "made": "2026-01-31T08:00:00Z",
        "source": "web",
    }


def settings(folder: Path, when: str | None = None, **given: Any) -> Settings:
    task: dict[str, Any] = {"labels": ["a", "b"], "workers": ["x", "y"]}
    if when is not None:
        task["when"] = {"field": when, "equals": "web"}
    right = {"id": "/ticket/number", "text": ["/ticket/title", "/ticket/body"]}
    raw = {"kafka": {"start": "earliest"}, "tasks": {"t": task}, "input": {**right, **given}}
    path = folder / "streamer.yaml"
    path.write_text(yaml.safe_dump(raw))
    return load(path)


def looked(found: Settings, *values: bytes) -> TicketReport:
    records = [Rec(orjson.dumps(ticket(number))) for number in range(54)]
    records = [Rec(value) for value in values] or records
    return look(found, TicketReader.of(found.input), records)


def test_right_pointers_are_right(tmp_path: Path) -> None:
    found = looked(settings(tmp_path, "/source", created_at="/made"))
    assert found == TicketReport(seen=("tickets 54 of the newest were looked at",))


def test_an_id_that_no_ticket_has_is_a_problem_with_what_was_meant(tmp_path: Path) -> None:
    found = looked(settings(tmp_path, id="/ticket/id"))
    assert found.problems == (
        "input.id: 0 of 54 tickets have an id at /ticket/id; /ticket/number is in all",
    )


def test_without_any_text_all_is_a_dead_letter(tmp_path: Path) -> None:
    (line,) = looked(settings(tmp_path, text=["/ticket/bodi"])).problems
    assert line == (
        "input.text: 0 of 54 tickets have a text at /ticket/bodi; /ticket/body is in all"
    )


def test_a_typo_in_one_of_two_texts_is_a_warning(tmp_path: Path) -> None:
    found = looked(settings(tmp_path, text=["/ticket/titel", "/ticket/body"]))
    assert found.problems == ()
    assert found.warnings == (
        "input.text: 0 of 54 tickets have a text at /ticket/titel; /ticket/title is in all",
    )


@pytest.mark.parametrize(
    ("key", "changed"),
    [
        ("input.created_at", {"created_at": "/mode"}),
        ("tasks.t.when.field", {"when": "/sauce"}),
    ],
)
def test_other_pointers_that_match_nothing_are_a_warning(
    key: str, changed: dict[str, Any], tmp_path: Path
) -> None:
    found = looked(settings(tmp_path, **changed))
    (line,) = found.warnings
    assert line.startswith(f"{key}: 0 of 54 tickets have ")
    assert line.endswith(" is in all")


def test_what_some_tickets_lack_is_counted(tmp_path: Path) -> None:
    whole = [orjson.dumps(ticket(number)) for number in range(10)]
    others = [orjson.dumps({"ticket": {"body": LONG}})] * 3
    assert looked(settings(tmp_path), *whole, *others).warnings == (
        "input.id: only 10 of 13 tickets have an id at /ticket/number",
    )
    (line,) = looked(settings(tmp_path), *whole, b"{").warnings
    assert line.startswith("input: 1 of 11 tickets can't be read: unreadable")


def test_what_is_no_json_at_all_is_a_problem(tmp_path: Path) -> None:
    (line,) = looked(settings(tmp_path), b"<ticket/>", b"<ticket/>").problems
    assert line.startswith("input: none of 2 tickets can be read: unreadable")


def test_one_rare_text_is_no_fault(tmp_path: Path) -> None:
    rare = [orjson.dumps({"ticket": {"number": n, "body": LONG}}) for n in range(9)]
    assert looked(settings(tmp_path), *rare, orjson.dumps(ticket(9))).warnings == ()


THREAD = {
    "from": "jane.doe@example.com",
    "name": "Jane Doe <jane.doe@example.com>",
    "sent": "2026-01-31 08:00:00+00:00",
    "body": LONG,
}


def threads(*numbers: int) -> list[bytes]:
    rest = {"title": "Bill, again", "messages": [{"id": "m-1", **THREAD}, {"id": "m-2", **THREAD}]}
    return [orjson.dumps({"ticket": {"number": n, **rest}, "made": 1769846400}) for n in numbers]


@pytest.mark.parametrize(
    ("pointer", "met"),
    [
        ("/ticket/messages", "a list with an object in it at /ticket/messages"),
        ("/ticket/messages/1", "an object at /ticket/messages/1"),
    ],
)
def test_a_text_for_which_each_ticket_is_refused_is_a_problem_however_much_else_it_says(
    pointer: str, met: str, tmp_path: Path
) -> None:
    found = looked(settings(tmp_path, text=["/ticket/title", pointer]), *threads(*range(54)))
    assert found.problems == (
        f"input.text: 54 of 54 tickets would be dead letters: no_text: {met}: let the pointer name "
        f"the field to take; {pointer}/body is in all",
    )


def test_a_text_for_which_some_are_refused_is_a_warning(tmp_path: Path) -> None:
    whole = [orjson.dumps(ticket(number)) for number in range(20)]
    mixed = [*whole, *threads(*range(20, 40))]
    found = looked(settings(tmp_path, text=["/ticket/title", "/ticket/messages"]), *mixed)
    assert found.problems == ()
    (line,) = found.warnings
    assert line.startswith("input.text: 20 of 40 tickets would be dead letters: no_text: a list")
    assert line.endswith("; /ticket/messages/body is in 20")


def test_a_typo_in_a_pointer_through_a_list_is_answered_by_one_through_it(tmp_path: Path) -> None:
    found = looked(settings(tmp_path, text=["/ticket/mesages/body"]), *threads(*range(9)))
    (line,) = found.problems
    assert line.endswith("; /ticket/messages/body is in all")


def test_whatever_else_the_intake_refuses_is_told_with_its_words(tmp_path: Path) -> None:
    odd = [Rec(orjson.dumps(ticket(n)), headers=[("\udcff", b"")]) for n in range(10)]
    well = [Rec(orjson.dumps(ticket(n)), offset=n) for n in range(10)]
    given = settings(tmp_path)
    (line,) = look(given, TicketReader.of(given.input), odd).problems
    assert line.startswith("input: 10 of 10 tickets would be dead letters: header_name: ")
    found = look(given, TicketReader.of(given.input), [*odd, *well])
    assert found.problems == ()
    assert found.warnings[0].startswith("input: 10 of 20 tickets would be dead letters: header_na")


def test_nearly_all_unreadable_is_a_problem(tmp_path: Path) -> None:
    values = [orjson.dumps(ticket(0)), *[b"<ticket/>"] * 49]
    (line,) = looked(settings(tmp_path), *values).problems
    assert line.startswith("input: 49 of 50 tickets can't be read: unreadable")


def test_what_is_no_time_is_told_with_where_times_are(tmp_path: Path) -> None:
    found = looked(settings(tmp_path, created_at="/ticket/title"))
    assert found.warnings == (
        "input.created_at: 0 of 54 tickets have a time at /ticket/title; /made is in all",
    )
    text = ["/ticket/title", "/ticket/messages/body"]
    found = looked(settings(tmp_path, text=text, created_at="/created"), *threads(*range(9)))
    assert found.warnings == (
        "input.created_at: 0 of 9 tickets have a time at /created; /made is in all",
    )


def test_without_anything_like_it_nothing_is_proposed(tmp_path: Path) -> None:
    found = looked(settings(tmp_path, when="/zzz"))
    assert found.warnings == (
        "tasks.t.when.field: 0 of 54 tickets have a text at /zzz; correct the pointer",
    )
