"""Verbs that look at single tickets, and mend what went wrong with them."""

import argparse
from pathlib import Path
from typing import Any

from streamer.cli.verbs import Verbs, settings, with_json
from streamer.errors import ConfigError
from streamer.words import count, letter, positive, span, when


def add(verbs: Verbs) -> None:
    _add_inspect(verbs)
    _add_dead(verbs)
    _add_backfill(verbs)
    _add_erase(verbs)


def inspect(options: argparse.Namespace) -> int:
    from streamer.commands import inspect

    given = settings(options)
    return inspect.run(given, options.ticket_id, options.since, not options.no_text, options.json)


def dead(options: argparse.Namespace) -> int:
    from streamer.commands.dead import handling, view

    given, selection = settings(options), _selection(options)
    if options.what == "list":
        return view.list_letters(given, selection, options.all, options.json)
    if options.what == "show":
        if len(options.place) != 1:
            raise ConfigError("name one dead letter, such as `streamer dead show 3:812`")
        if options.out is not None and options.out.exists() and not options.force:
            raise ConfigError(
                f"{options.out} is there already: say --force to write over it, or --out FILE"
            )
        return view.show(given, options.place[0], options.json, options.out)
    if not (options.place or selection.filtered):
        raise ConfigError(
            f"name what to {options.what}: PARTITION:OFFSET, or --reason, --task, --since, --until"
        )
    if options.what == "replay":
        if options.mended is not None and len(options.place) != 1:
            raise ConfigError("--with mends one dead letter: name it, as PARTITION:OFFSET")
        return handling.replay(given, selection, options.again, options.dry_run, options.mended)
    if not (options.place or options.yes or options.dry_run):
        raise ConfigError(
            "to drop all that a filter takes, look at it by --dry-run, then add --yes"
        )
    return handling.drop(given, selection, options.dry_run)


def backfill(options: argparse.Namespace) -> int:
    from streamer.services import backfill

    wish = backfill.BackfillOptions(
        begin=getattr(options, "from"),
        end=options.to,
        name=options.name,
        rate=options.rate,
        backlog=options.judge_backlog,
    )
    return backfill.run(settings(options), wish, options.config, dry_run=options.dry_run)


def erase(options: argparse.Namespace) -> int:
    from streamer.commands import erase

    return erase.run(settings(options), options.ticket_id, options.since, options.dry_run)


def _selection(options: argparse.Namespace) -> Any:
    from streamer.commands.dead.selection import Selection

    return Selection(
        tuple(options.place), options.reason, options.task, options.since, options.until
    )


def _add_inspect(verbs: Verbs) -> None:
    added = verbs.add(
        inspect,
        "show what happened to a ticket",
        more="Every record about it, each vote, the rule, the verdict, and where the time went.",
        examples=("streamer inspect T-1042", "streamer inspect T-1042 --since 7d --json"),
    )
    added.add_argument("ticket_id", metavar="TICKET_ID", help="the ticket's id")
    added.add_argument(
        "--since", type=span, default="24h", metavar="TIME", help="how far to look back (24h)"
    )
    added.add_argument("--no-text", action="store_true", help="not what the ticket says")
    with_json(added)


def _add_dead(verbs: Verbs) -> None:
    added = verbs.add(
        dead,
        "list, show, replay or drop dead letters",
        more="replay puts letters back where they came from, with their own key, bytes and "
        "headers; drop marks them as done with. Both leave a note on the topic.",
        examples=(
            "streamer dead list --reason unreadable --since 24h",
            "streamer dead show 3:812",
            "streamer dead replay --reason unknown_label_set",
            "streamer dead replay 3:812 --with mended.json",
            "streamer dead drop 3:812 3:815",
        ),
    )
    verbs_of_dead = ("list", "show", "replay", "drop")
    added.add_argument("what", choices=verbs_of_dead, metavar="WHAT", help=", ".join(verbs_of_dead))
    added.add_argument(
        "place", type=letter, nargs="*", metavar="PARTITION:OFFSET", help="a dead letter, as listed"
    )
    added.add_argument("--reason", help="only those that died of this")
    added.add_argument("--task", help="only judge requests and answers of this task")
    added.add_argument("--since", type=when, metavar="WHEN", help="a time, or 24h for a day ago")
    added.add_argument("--until", type=when, metavar="WHEN", help="a time, or 24h for a day ago")
    added.add_argument("--all", action="store_true", help="list those that are done with, too")
    added.add_argument("--again", action="store_true", help="replay what was handled before, too")
    added.add_argument(
        "--with", dest="mended", type=Path, metavar="FILE", help="replay one with these bytes"
    )
    added.add_argument("--out", type=Path, metavar="FILE", help="show: write the value there, too")
    added.add_argument("--force", action="store_true", help="write over a file that is there")
    added.add_argument("--dry-run", action="store_true", help="say what would be done")
    added.add_argument("--yes", action="store_true", help="drop all that a filter takes")
    with_json(added, "list and show: JSON, a line per letter")


def _add_backfill(verbs: Verbs) -> None:
    added = verbs.add(
        backfill,
        "classify old tickets again, beside the live stream",
        more="It has a group of its own, and goes on where it was when it is run again. Its labels "
        "carry its name.",
        examples=(
            "streamer backfill --from 7d --dry-run",
            "streamer backfill --from 2026-01-01 --to 2026-02-01 --rate 200",
        ),
    )
    added.add_argument("--from", type=when, required=True, metavar="WHEN", help="a time, or 7d")
    added.add_argument("--to", type=when, metavar="WHEN", help="a time, or 7d (default: now)")
    added.add_argument("--name", help="what its labels and group are called (default: the times)")
    added.add_argument(
        "--rate", type=positive, default=50.0, metavar="PER_SECOND", help="tickets per second (50)"
    )
    added.add_argument(
        "--judge-backlog",
        type=count,
        default=100,
        metavar="REQUESTS",
        help="pause while more requests than this wait for the judge (100)",
    )
    added.add_argument("--dry-run", action="store_true", help="say how many tickets there are")


def _add_erase(verbs: Verbs) -> None:
    added = verbs.add(
        erase,
        "delete a ticket's labels, and say where its text remains until when",
        more="Sends a deletion to the tickets topic. docs/privacy.md says what it can't reach.",
        examples=("streamer erase T-1042 T-1043", "streamer erase T-1042 --dry-run"),
    )
    added.add_argument("ticket_id", nargs="+", metavar="TICKET_ID", help="of the person's tickets")
    added.add_argument(
        "--since", type=span, default="7d", metavar="TIME", help="how far to look for it (7d)"
    )
    added.add_argument("--dry-run", action="store_true", help="send nothing")
