"""The verb that aligns workers with the judge."""

import argparse
from pathlib import Path

from streamer.cli.verbs import Verbs, settings, with_json


def add(verbs: Verbs) -> None:
    aligned = verbs.add(
        align,
        "train new versions of workers on what the judge said",
        more="The log has no text: --tickets is the file with the tickets, as `streamer send` reads"
        " it. The new versions serve nobody until you say so (docs/upgrading.md). The last worker"
        " of a task stays as it is, so that not all of them learn the judge's errors.",
        examples=(
            "streamer align log.parquet --tickets tickets.jsonl --dry-run",
            "streamer align log.parquet --tickets tickets.jsonl --segments segments/1",
            "streamer align log.parquet --tickets tickets.jsonl --task intent --out align.html",
        ),
    )
    aligned.add_argument("log", type=Path, metavar="LOG", help="from `streamer log export`")
    aligned.add_argument(
        "--tickets", type=Path, metavar="FILE", required=True, help=".csv or .jsonl, also with .gz"
    )
    aligned.add_argument(
        "--task", metavar="NAME", action="append", default=[], help="only this (repeatable)"
    )
    aligned.add_argument(
        "--segments", type=Path, metavar="FOLDER", help="a version of them: also try experts"
    )
    aligned.add_argument(
        "--keep", metavar="MODEL", help="the worker that stays as it is, or none (the last)"
    )
    aligned.add_argument(
        "--no-examples", action="store_true", help="learn from the log alone, not from the data"
    )
    aligned.add_argument("--dry-run", action="store_true", help="write no version, only tell")
    aligned.add_argument("--seed", type=int, metavar="N", default=1, help="of chance (1)")
    aligned.add_argument("--out", type=Path, metavar="FILE", help="also write a page, .html")
    with_json(aligned)


def align(options: argparse.Namespace) -> int:
    from streamer.commands import align

    wanted = align.AlignOptions(
        options.task,
        options.segments,
        options.keep,
        not options.no_examples,
        options.dry_run,
        options.seed,
    )
    given = settings(options)
    return align.run(given, options.log, options.tickets, wanted, options.out, options.json)
