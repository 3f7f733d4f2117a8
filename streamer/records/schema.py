"""JSON Schemas of every record, derived from the dataclasses that write them."""

from typing import Any

from pydantic import TypeAdapter

from streamer.errors import ConfigError
from streamer.records.alarm import Alarm
from streamer.records.answer import Answer
from streamer.records.dead_letter import DeadLetter
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from streamer.records.log import Log
from streamer.records.review import Review
from streamer.records.summary import Summary
from streamer.records.ticket import Ticket

RECORDS: dict[str, Any] = {
    "ticket": Ticket,
    "label": Label,
    "judge-request": JudgeRequest,
    "dead-letter": DeadLetter,
    "review": Review,
    "answer": Answer,
    "log": Log,
    "summary": Summary,
    "alarm": Alarm,
}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a record; raises `ConfigError` for an unknown name.

    A dead letter's schema describes its `dead.*` headers, since its value is the input's own.
    """
    if name not in RECORDS:
        raise ConfigError(f"no record {name!r}: use one of {', '.join(RECORDS)}")
    body = TypeAdapter(RECORDS[name]).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}
