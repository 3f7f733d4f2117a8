"""Verbs about kinds of tickets."""

import argparse
from pathlib import Path

from streamer.cli.verbs import Verbs, settings, with_json
from streamer.words import at_least_one, share


def add(verbs: Verbs) -> None:
    fitted = verbs.add(
        segments,
        "find kinds of tickets in a log, and how workers fare on each",
        more="The log has no text: --tickets is the file with the tickets, as `streamer send` reads"
        " it. A new version goes into a numbered folder, with a page about it.",
        examples=(
            "streamer segments fit log.parquet --tickets tickets.jsonl",
            "streamer segments fit log.parquet --tickets tickets.csv.gz --k 8 --no-text",
            "streamer segments fit log.parquet --tickets tickets.jsonl --judge-budget 15%",
        ),
    )
    fitted.add_argument("what", choices=("fit",), metavar="fit", help="the one way")
    fitted.add_argument("log", type=Path, metavar="LOG", help="from `streamer log export`")
    fitted.add_argument(
        "--tickets", type=Path, metavar="FILE", required=True, help=".csv or .jsonl, also with .gz"
    )
    fitted.add_argument("--k", type=at_least_one, metavar="N", help="how many segments (chosen)")
    fitted.add_argument("--seed", type=int, metavar="N", default=1, help="of chance (1)")
    fitted.add_argument(
        "--most", type=at_least_one, metavar="N", default=20_000, help="tickets to look at (20000)"
    )
    fitted.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        default=Path("segments"),
        help="of all versions (segments)",
    )
    fitted.add_argument(
        "--judge-budget", type=share, metavar="SHARE", help="also choose workers per segment: 15%%"
    )
    fitted.add_argument("--no-text", action="store_true", help="no ticket's text in the page")
    with_json(fitted)


def segments(options: argparse.Namespace) -> int:
    from streamer.commands import segments

    return segments.fit(
        settings(options),
        options.log,
        options.tickets,
        options.out,
        segments.FitOptions(
            options.k, options.seed, options.most, not options.no_text, options.judge_budget
        ),
        options.json,
    )
