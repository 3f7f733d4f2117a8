"""The AsyncAPI document of the topics: what subscribers in any language need to know."""

import sys
from pathlib import Path
from typing import Any

import yaml

from streamer.commands.channels import CHANNELS, HEADERS, Channel, Message
from streamer.config.kafka import Topics
from streamer.config.load import load
from streamer.records.dead_letter import PREFIX
from streamer.records.examples import EXAMPLES, TRACEPARENT, example
from streamer.records.schema import components

Part = dict[str, Any]

CONTRACT = "1.0"
"""The contract's version: docs/contract.md says what may change under the same first number."""

_ACTIONS = {"in": ("receive",), "out": ("send",), "inside": ("send", "receive")}
_PLACE = "#/components/schemas/"
_TEXT = (
    "Support tickets come in on one topic, labels go out on another. Delivery is at least once. "
    "docs/contract.md says what a label promises and what may change."
)
_FOREIGN = {"id": "4711", "subject": "Invoice", "text": "I was charged twice. Is that right?"}
_HEADERS = {"traceparent": TRACEPARENT, "source.offset": "813", "dead.handled": "replayed"}


DEFAULT = Topics(current="tickets.current")
"""Every topic by its default name."""


def run(config: Path | None) -> int:
    """Write the document with the topics of this configuration, else with their default names.

    Raises `ConfigError` where the configuration can't be read.
    """
    sys.stdout.write(text(DEFAULT if config is None else load(config).topics))
    return 0


def document(topics: Topics) -> Part:
    """AsyncAPI 3.0 for these topic names; `x-` fields say who writes, who reads and how often."""
    names = [message.record for channel in CHANNELS for message in channel.messages]
    bodies, shared = components([name for name in EXAMPLES if name in names], _PLACE)
    addresses = topics.model_dump(exclude_none=True)
    channels = [channel for channel in CHANNELS if channel.topic in addresses]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "streamer", "version": CONTRACT, "description": _TEXT},
        "defaultContentType": "application/json",
        "channels": {
            channel.topic: _channel(channel, addresses[channel.topic]) for channel in channels
        },
        "operations": dict(
            _operation(channel, action) for channel in channels for action in _actions(channel)
        ),
        "components": {
            "messages": {
                message.name: _message(message, bodies)
                for channel in channels
                for message in channel.messages
            },
            "schemas": shared,
        },
    }


def text(topics: Topics) -> str:
    """The document as YAML."""
    return yaml.dump(
        document(topics), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100
    )


class _Plain(yaml.SafeDumper):
    """Without YAML's references, which many readers of such a document don't follow."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _channel(channel: Channel, address: str) -> Part:
    return {
        "address": address,
        "description": channel.text,
        "messages": {
            message.name: {"$ref": f"#/components/messages/{message.name}"}
            for message in channel.messages
        },
        "bindings": {
            "kafka": {
                "topic": address,
                "topicConfiguration": {"cleanup.policy": list(channel.policies)},
                "bindingVersion": "0.5.0",
            }
        },
        "x-written-by": list(channel.written_by),
        "x-read-by": list(channel.read_by),
        "x-delivery": channel.delivery,
    }


def _actions(channel: Channel) -> tuple[str, ...]:
    return _ACTIONS[channel.direction]


def _operation(channel: Channel, action: str) -> tuple[str, Part]:
    body = {"action": action, "channel": {"$ref": f"#/channels/{channel.topic}"}}
    return action + channel.topic.capitalize(), body


def _message(message: Message, bodies: dict[str, Part]) -> Part:
    dead = message.record == "dead-letter"
    headers = {name: {"type": "string", "description": HEADERS[name]} for name in message.headers}
    if dead:
        headers |= {PREFIX + name: _as_text(field) for name, field in _dead_fields().items()}
    described: Part = {
        "name": message.name,
        "summary": message.text,
        "payload": _payload(message, bodies),
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": message.key},
                "bindingVersion": "0.5.0",
            }
        },
        "examples": _examples(message),
    }
    if headers:
        described["headers"] = {"type": "object", "properties": headers}
    if dead or (message.record is None and not message.deletion):
        described["contentType"] = "application/octet-stream"
    return described


def _payload(message: Message, bodies: dict[str, Part]) -> Part:
    if message.deletion:
        return {"type": "null"}
    if message.record is None or message.record == "dead-letter":
        return {"description": "Your own record, byte for byte."}
    return bodies[message.record]


def _dead_fields() -> Part:
    _, shared = components(["dead-letter"], _PLACE)
    fields: Part = shared["DeadLetter"]["properties"]
    return fields


def _as_text(field: Part) -> Part:
    # Header values are bytes: numbers are written in decimal digits, flags as true or false.
    kinds = [field.get("type"), *(option.get("type") for option in field.get("anyOf", ()))]
    if "integer" in kinds:
        return {"type": "string", "pattern": "^[0-9]+$"}
    return (
        {"type": "string", "enum": ["true", "false"]} if "boolean" in kinds else {"type": "string"}
    )


def _examples(message: Message) -> list[Part]:
    headers = {name: _HEADERS[name] for name in message.headers if name in _HEADERS}
    with_headers = {"headers": headers} if headers else {}
    if message.deletion:
        return [with_headers | {"payload": None}]
    if message.record is None:
        return [with_headers | {"payload": _FOREIGN}]
    if message.record == "dead-letter":
        (letter,) = EXAMPLES["dead-letter"]
        letter_headers = {name: value.decode() for name, value in letter.headers()}
        return [{"headers": headers | letter_headers, "payload": {"id": "4712"}}]
    return [with_headers | {"payload": payload} for payload in example(message.record)]
