"""Verbs about tickets and their labels."""

import argparse
from pathlib import Path

from streamer.cli.verbs import Verbs, settings


def add(verbs: Verbs) -> None:
    sent = verbs.add(send, "put tickets of a file (CSV or JSON lines) on the tickets topic")
    sent.add_argument("file", type=Path)
    sent.add_argument(
        "--rate", type=float, metavar="PER_SECOND", help="tickets per second (default: at once)"
    )
    tailed = verbs.add(tail, "follow the labels")
    tailed.add_argument("--json", action="store_true", help="the records as they are")
    tailed.add_argument("--count", type=int, help="stop after so many")
    tailed.add_argument("--beginning", action="store_true", help="from the oldest label on")


def send(options: argparse.Namespace) -> int:
    from streamer.services import send

    return send.run(settings(options), options.file, rate=options.rate)


def tail(options: argparse.Namespace) -> int:
    from streamer.services import tail

    return tail.run(
        settings(options), count=options.count, as_json=options.json, beginning=options.beginning
    )
