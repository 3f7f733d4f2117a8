"""Verbs that learn from examples and from the log."""

import argparse
from pathlib import Path

from streamer.cli.verbs import Verbs, settings
from streamer.words import amount, moment, share


def add(verbs: Verbs) -> None:
    trained = verbs.add(train, "train workers and judge from the tasks' data")
    trained.add_argument("what", choices=("all", "workers", "judge"), nargs="?", default="all")
    trained.add_argument("--task", action="append", help="only this task (may be repeated)")
    trained.add_argument("--seed", type=int, default=1)
    exported = verbs.add(log, "make a Parquet file of the log, for the three verbs below")
    exported.add_argument("what", choices=("export",))
    exported.add_argument("file", type=Path)
    exported.add_argument(
        "--since", metavar="WHERE", type=moment, default="earliest", help="earliest or a time"
    )
    _add_log_verbs(verbs)


def train(options: argparse.Namespace) -> int:
    from streamer.learn import train

    return train.run(settings(options), what=options.what, tasks=options.task, seed=options.seed)


def log(options: argparse.Namespace) -> int:
    from streamer.services import log_export

    return log_export.run(settings(options), options.file, options.since)


def replay(options: argparse.Namespace) -> int:
    from streamer.commands import arguments, replay

    given = settings(options)
    if options.rule is options.after is options.mode is None:
        return replay.run(given, options.log, options.calibration)
    return replay.suppose(
        given,
        options.log,
        options.task,
        arguments.rule(options.rule) if options.rule else None,
        arguments.after(options.after) if options.after else None,
        options.mode or "sequential",
        arguments.prices(options.latency),
    )


def calibrate(options: argparse.Namespace) -> int:
    from streamer.commands import arguments, calibrate

    return calibrate.run(
        settings(options),
        options.log,
        options.task,
        arguments.wish(options),
        options.gold,
        options.out,
    )


def evaluate(options: argparse.Namespace) -> int:
    from streamer.commands import arguments, evaluate

    return evaluate.run(
        settings(options),
        options.log,
        options.out,
        options.task,
        options.gold,
        arguments.prices(options.price),
        arguments.prices(options.latency),
    )


def _add_log_verbs(verbs: Verbs) -> None:
    again = verbs.add(
        replay, "decide a log again and compare, or ask what another rule would have done"
    )
    again.add_argument(
        "--calibration", type=Path, action="append", default=[], metavar="FILE", help="an older one"
    )
    again.add_argument("--rule", metavar="KIND[:PARAMETERS]", help="such as majority or chow:0.1")
    again.add_argument("--after", metavar="KIND:ALPHA", help="such as v3:0.2, diff:0.1 or v2:0.1")
    again.add_argument("--mode", choices=("sequential", "optimistic", "hedged"))
    chosen = verbs.add(calibrate, "choose a task's rule from a log, by one wish")
    wish = chosen.add_mutually_exclusive_group(required=True)
    wish.add_argument("--judge-budget", type=share, metavar="SHARE", help="such as 15%%")
    wish.add_argument("--fidelity", type=share, metavar="SHARE", help="agreement with the judge")
    wish.add_argument("--accuracy", type=share, metavar="SHARE", help="agreement with the truth")
    chosen.add_argument("--confidence", type=share, default=0.95, help="of the promise (0.95)")
    chosen.add_argument("--task", required=True)
    chosen.add_argument("--out", type=Path, metavar="FILE", help="not the configured file")
    shown = verbs.add(evaluate, "report what each rule is worth on a log, as a page and JSON")
    shown.add_argument("--out", type=Path, metavar="FOLDER", required=True)
    for added in (again, chosen, shown):
        added.add_argument("log", type=Path, metavar="LOG", help="from `streamer log export`")
    for added in (chosen, shown):
        added.add_argument("--gold", type=Path, metavar="FILE", help="true labels: id, label")
    for added in (again, shown):
        added.add_argument("--task", action="append", default=[], help="only this (repeatable)")
    _add_amounts(again, "--latency", "mean seconds of one answer, of a worker or `judge`")
    _add_amounts(shown, "--latency", "mean seconds of one answer, of a worker or `judge`")
    _add_amounts(shown, "--price", "price of one answer, of a worker or `judge`")


def _add_amounts(verb: argparse.ArgumentParser, name: str, text: str) -> None:
    verb.add_argument(
        name, metavar="NAME=NUMBER", type=amount, action="append", default=[], help=text
    )
