"""The verb that closes the loop: from the log to better versions, and back."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from streamer.cli.verbs import Verbs, overrides, settings, with_json
from streamer.errors import ConfigError
from streamer.words import model_version, share

Train = Callable[[Sequence[str]], Mapping[str, str]]

_TAKEN = {
    "start": {"log", "share", "worker", "tickets", "keep", "seed", "segments"},
    "judge": {"log", "calibration", "out", "tolerance"},
    "promote": {"log", "calibration", "segments", "anyway", "tolerance"},
    "rollback": {"trial"},
    "status": set[str](),
}
"""What each verb takes, besides --task and --json."""


def add(verbs: Verbs) -> None:
    added = verbs.add(
        learn,
        "try new worker versions on live tickets, promote the better ones, or roll back",
        more="start puts versions on trial beside those that serve: new ones that learn what the"
        " judge said, as `streamer align` makes them, or those you name; judge compares them by a"
        " log of live tickets, as often as you like; promote lets them serve; rollback goes back."
        " What serves is written to the file under `learned`.",
        examples=(
            "streamer learn start log.parquet --tickets tickets.jsonl --share 10%",
            "streamer learn start log.parquet --worker intent_word=2",
            "streamer learn judge log.parquet --out trial.html",
            "streamer learn promote log.parquet --task intent",
            "streamer learn rollback --task intent",
            "streamer learn status",
        ),
    )
    verbs_of_learn = tuple(_TAKEN)
    added.add_argument(
        "what", choices=verbs_of_learn, metavar="WHAT", help=", ".join(verbs_of_learn)
    )
    added.add_argument(
        "log", type=Path, nargs="?", metavar="LOG", help="from `streamer log export`"
    )
    added.add_argument(
        "--task", metavar="NAME", action="append", default=[], help="only this (repeatable)"
    )
    _add_start(added)
    added.add_argument(
        "--calibration", type=Path, metavar="FILE", help="judge, promote: made for the trial"
    )
    added.add_argument("--out", type=Path, metavar="FILE", help="judge: also a page")
    added.add_argument(
        "--tolerance",
        type=share,
        metavar="SHARE",
        help="judge, promote: how much less often labels may agree with the judge (1%%)",
    )
    added.add_argument("--anyway", metavar="REASON", help="promote: what the test doesn't propose")
    added.add_argument("--trial", action="store_true", help="rollback: end the trial, no more")
    with_json(added)


def learn(options: argparse.Namespace) -> int:
    from streamer.commands.learn import judge, promote, rollback, status

    _refuse_strangers(options)
    loop, tasks = _loop(options), options.task
    if options.what == "start":
        return _start(options, loop)
    if options.what == "judge":
        given = (options.calibration, options.out, _tolerance(options))
        return judge.run(loop, _log(options), tasks, *given, options.json)
    if options.what == "promote":
        wanted = promote.PromoteOptions(
            tasks, options.calibration, options.segments, options.anyway, _tolerance(options)
        )
        return promote.run(loop, options.log, wanted, options.json)
    if options.what == "rollback":
        return rollback.run(loop, tasks, options.trial, options.json)
    return status.run(loop, tasks, options.json)


def _tolerance(options: argparse.Namespace) -> float:
    from streamer.learn.rollout.vote import TOLERANCE

    return TOLERANCE if options.tolerance is None else float(options.tolerance)


def _add_start(added: argparse.ArgumentParser) -> None:
    added.add_argument(
        "--tickets", type=Path, metavar="FILE", help="start: align on these, .csv or .jsonl"
    )
    added.add_argument(
        "--keep", metavar="MODEL", help="start: the worker that learns nothing, or none (the last)"
    )
    added.add_argument(
        "--worker",
        metavar="MODEL=VERSION",
        type=model_version,
        action="append",
        default=[],
        help="start: instead, a version that is in the repository (repeatable)",
    )
    added.add_argument(
        "--share", type=share, metavar="SHARE", help="start: of the tickets that it sees (10%%)"
    )
    added.add_argument("--seed", type=int, metavar="N", help="start: of chance in training (1)")
    added.add_argument(
        "--segments", type=Path, metavar="FOLDER", help="start: train with; promote: to route by"
    )


def _start(options: argparse.Namespace, loop: Any) -> int:
    from streamer.commands.learn import start

    if bool(options.worker) == bool(options.tickets):
        raise ConfigError("say what to try: --tickets FILE to train, or --worker MODEL=VERSION")
    if options.worker and options.keep:
        raise ConfigError("--keep is about training: leave it out, or give --tickets")
    wanted = start.TrialOptions(
        options.task,
        0.1 if options.share is None else options.share,
        options.seed if options.worker else _seed(options),
        options.segments,
    )
    train = _aligned(options, loop) if options.tickets else _named(options)
    return start.run(loop, _log(options), train, wanted, options.json)


def _named(options: argparse.Namespace) -> Train:
    return lambda tasks: dict(options.worker)


def _aligned(options: argparse.Namespace, loop: Any) -> Train:
    from streamer.commands import align

    def trained(tasks: Sequence[str]) -> Mapping[str, str]:
        # Those that were named, and not all: where none is, one with too little is left out.
        wanted = align.AlignOptions(
            options.task, options.segments, options.keep, seed=_seed(options)
        )
        result = align.align(loop.settings, _log(options), options.tickets, wanted)
        return {model: str(version) for model, version in result.versions.items()}

    return trained


def _seed(options: argparse.Namespace) -> int:
    return 1 if options.seed is None else int(options.seed)


def _loop(options: argparse.Namespace) -> Any:
    from streamer.commands.learn.loop import Loop
    from streamer.config import load

    return Loop(
        settings(options), lambda learned: load(options.config, overrides(options), learned)
    )


def _log(options: argparse.Namespace) -> Path:
    if options.log is None:
        raise ConfigError(f"name the log: `streamer learn {options.what} log.parquet`")
    return Path(options.log)


def _refuse_strangers(options: argparse.Namespace) -> None:
    """An option that means nothing to a verb would be lost in silence."""
    for name in sorted(set().union(*_TAKEN.values()) - _TAKEN[options.what]):
        value = getattr(options, name)
        if value is not None and value is not False and value != []:
            option = "LOG" if name == "log" else f"--{name}"
            raise ConfigError(f"`streamer learn {options.what}` takes no {option}")
