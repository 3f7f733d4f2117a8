"""JSON Schemas of every record, derived from the dataclasses that write them."""

from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter

from streamer.errors import ConfigError
from streamer.records.alarm import Alarm
from streamer.records.answer import Answer
from streamer.records.dead_letter import DeadLetter, Handled
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from streamer.records.log import Log
from streamer.records.review import Review
from streamer.records.summary import Summary
from streamer.records.ticket import Ticket

Schema = dict[str, Any]

RECORDS: dict[str, Any] = {
    "ticket": Ticket,
    "label": Label,
    "judge-request": JudgeRequest,
    "dead-letter": DeadLetter,
    "handled": Handled,
    "review": Review,
    "answer": Answer,
    "log": Log,
    "summary": Summary,
    "alarm": Alarm,
}


def schema(name: str) -> Schema:
    """The JSON Schema (draft 2020-12) of a record; raises `ConfigError` for an unknown name.

    It holds for all releases of this major version: objects may have more fields, and a closed
    list of values is given as `examples`, because a later release may know more of them. A dead
    letter's schema describes its `dead.*` headers, since its value is the input's own.
    """
    if name not in RECORDS:
        raise ConfigError(f"no record {name!r}: use one of {', '.join(RECORDS)}")
    body = _open(TypeAdapter(RECORDS[name]).json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}


def components(
    names: Iterable[str], ref_prefix: str
) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The schemas of several records by name, and the parts that they share.

    References to a part are `ref_prefix` and its name, such as `#/components/schemas/Vote`. There
    is nothing in these schemas that draft 7 doesn't know.
    """
    adapters = [(name, "validation", TypeAdapter(RECORDS[name])) for name in names]
    bodies, shared = TypeAdapter.json_schemas(adapters, ref_template=ref_prefix + "{model}")  # type: ignore[arg-type]  # the mode's literal is widened
    return {name: _open(body) for (name, _), body in bodies.items()}, _open(shared)["$defs"]


def _open(node: Any) -> Any:
    """Without what a later release could break, and without titles that only repeat names."""
    if isinstance(node, list):
        return [_open(item) for item in node]
    if not isinstance(node, dict):
        return node
    opened = {key: _open(value) for key, value in node.items()}
    if "enum" in opened:
        opened["examples"] = opened.pop("enum")
    if "prefixItems" in opened:
        opened["items"] = opened.pop("prefixItems")[0]
    if isinstance(opened.get("properties"), dict):
        _open_object(opened)
    return opened


def _open_object(opened: Schema) -> None:
    for name, field in opened["properties"].items():
        field.pop("title", None)
        if "const" in field and name not in opened["required"]:
            opened["required"].append(name)
    opened.setdefault("additionalProperties", True)
