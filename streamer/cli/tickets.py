"""Verbs about tickets and their labels."""

import argparse
from pathlib import Path

from streamer.cli.verbs import Verbs, settings, with_json
from streamer.words import at_least_one


def add(verbs: Verbs) -> None:
    sent = verbs.add(
        send,
        "put tickets of a file (CSV or JSON lines) on the tickets topic",
        more="Every row is sent as it is; one without an id gets its number as one. All rows are"
        " looked at first, and none is sent where classify would refuse any.",
        examples=("streamer send tickets.csv", "streamer send tickets.jsonl.gz --rate 50"),
    )
    sent.add_argument("file", type=Path, metavar="FILE", help=".csv, .jsonl, or .gz of one")
    sent.add_argument(
        "--rate", type=float, metavar="PER_SECOND", help="tickets per second (default: at once)"
    )
    sent.add_argument(
        "--from-row",
        type=at_least_one,
        metavar="N",
        default=1,
        help="leave out the rows before it, which were sent already (1)",
    )
    with_json(sent)
    tailed = verbs.add(
        tail,
        "follow the labels",
        more="It joins no group and takes nothing from anybody. It ends with Ctrl-C.",
        examples=(
            "streamer tail",
            "streamer tail --beginning --count 20",
            "streamer tail --json | jq -r '[.ticket_id, .label] | @tsv'",
        ),
    )
    with_json(tailed, "the records as they are, one per line")
    tailed.add_argument("--count", type=int, metavar="N", help="stop after so many")
    tailed.add_argument("--beginning", action="store_true", help="from the oldest label on")


def send(options: argparse.Namespace) -> int:
    from streamer.commands import send

    return send.run(
        settings(options), options.file, options.rate, options.json, from_row=options.from_row
    )


def tail(options: argparse.Namespace) -> int:
    from streamer.commands import tail

    return tail.run(
        settings(options), count=options.count, as_json=options.json, beginning=options.beginning
    )
