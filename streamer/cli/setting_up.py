"""Verbs about the configuration and the records."""

import argparse

import orjson

from streamer.cli.verbs import Verbs, settings


def add(verbs: Verbs) -> None:
    checked = verbs.add(check, "validate the configuration")
    checked.add_argument("--connect", action="store_true", help="also ask Kafka and Triton")
    described = verbs.add(schema, "print the JSON Schema of a record")
    described.add_argument("name", help="ticket, label, answer, log or another record")


def check(options: argparse.Namespace) -> int:
    from streamer.services import check

    return check.run(settings(options), connect=options.connect)


def schema(options: argparse.Namespace) -> int:
    from streamer.records.schema import schema

    print(orjson.dumps(schema(options.name), option=orjson.OPT_INDENT_2).decode())
    return 0
