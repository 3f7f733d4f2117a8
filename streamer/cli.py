"""The `streamer` command: one function per verb, no logic."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from streamer.errors import ConfigError, StreamerError
from streamer.words import amount, moment, pair, share


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and return the exit code: 0 done, 1 failed, 2 wrong configuration or usage."""
    options = parser().parse_args(arguments)
    # Its errors come as exceptions as well, and are told once; services log them all the same.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        return int(options.run(options) or 0)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except StreamerError as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        return 130


def classify(options: argparse.Namespace) -> int:
    from streamer.services import classify, process

    settings = _settings(options)
    return process.run(lambda stop: classify.serve(settings, stop, options.resume))


def judge(options: argparse.Namespace) -> int:
    from streamer.services import judge, process

    settings = _settings(options)
    return process.run(lambda stop: judge.serve(settings, stop, options.resume))


def up(options: argparse.Namespace) -> int:
    from streamer.dev import up

    return up.run(options.config, _overrides(options))


def demo(options: argparse.Namespace) -> int:
    from streamer.dev import demo

    return demo.run(options.config, _overrides(options), data=options.data, rate=options.rate)


def train(options: argparse.Namespace) -> int:
    from streamer.learn import train

    return train.run(_settings(options), what=options.what, tasks=options.task, seed=options.seed)


def check(options: argparse.Namespace) -> int:
    from streamer.services import check

    return check.run(_settings(options), connect=options.connect)


def send(options: argparse.Namespace) -> int:
    from streamer.services import send

    return send.run(_settings(options), options.file, rate=options.rate)


def tail(options: argparse.Namespace) -> int:
    from streamer.services import tail

    return tail.run(
        _settings(options), count=options.count, as_json=options.json, beginning=options.beginning
    )


def log(options: argparse.Namespace) -> int:
    from streamer.services import log_export

    return log_export.run(_settings(options), options.file, options.since)


def replay(options: argparse.Namespace) -> int:
    from streamer.commands import arguments, replay

    settings = _settings(options)
    if options.rule is options.after is options.mode is None:
        return replay.run(settings, options.log, options.calibration)
    return replay.suppose(
        settings,
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
        _settings(options),
        options.log,
        options.task,
        arguments.wish(options),
        options.gold,
        options.out,
    )


def evaluate(options: argparse.Namespace) -> int:
    from streamer.commands import arguments, evaluate

    return evaluate.run(
        _settings(options),
        options.log,
        options.out,
        options.task,
        options.gold,
        arguments.prices(options.price),
        arguments.prices(options.latency),
    )


def schema(options: argparse.Namespace) -> int:
    from streamer.records.schema import schema

    print(orjson.dumps(schema(options.name), option=orjson.OPT_INDENT_2).decode())
    return 0


def _settings(options: argparse.Namespace) -> Any:
    from streamer.config import load

    return load(options.config, _overrides(options))


def _overrides(options: argparse.Namespace) -> dict[str, str]:
    given = {"kafka.bootstrap": options.kafka, "triton.url": options.triton, **dict(options.set)}
    if listen := getattr(options, "listen", None):
        host, _, port = listen.rpartition(":")
        given |= {f"{options.verb}.listen.host": host, f"{options.verb}.listen.port": port}
    return {key: value for key, value in given.items() if value}


def parser() -> argparse.ArgumentParser:
    """The verbs and their options."""
    found = argparse.ArgumentParser(prog="streamer", description="Tickets in, labels out.")
    verbs = found.add_subparsers(required=True, metavar="VERB")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=Path("streamer.yaml"), metavar="FILE")
    common.add_argument("--kafka", metavar="HOST:PORT", help="this Kafka, not the configured one")
    common.add_argument("--triton", metavar="HOST:PORT", help="this Triton, not the configured one")
    common.add_argument(
        "--set",
        metavar="KEY=VALUE",
        type=pair,
        action="append",
        default=[],
        help="any other key of the configuration, such as kafka.group=mine",
    )

    def verb(run: Any, text: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(run.__name__, help=text, description=text, parents=[common])
        added.set_defaults(run=run, verb=run.__name__)
        return added

    for service, text in ((classify, "let workers vote on tickets"), (judge, "settle the rest")):
        added = verb(service, f"run the {service.__name__} service: {text}")
        added.add_argument(
            "--listen", metavar="HOST:PORT", help="where to answer /metrics, /healthz and /readyz"
        )
        added.add_argument(
            "--resume",
            metavar="WHERE",
            type=moment,
            help="where to go on when the committed offset is gone: earliest, latest or a time",
        )
    verb(up, "run Kafka, Triton, classify and judge here, until Ctrl-C")
    shown = verb(demo, "play real tickets through the whole stack and report")
    shown.add_argument("--data", type=Path, metavar="DIR", help="play the data sets in this folder")
    shown.add_argument("--rate", type=float, help="tickets per second (default: 40 s in all)")
    trained = verb(train, "train workers and judge from the tasks' data")
    trained.add_argument("what", choices=("all", "workers", "judge"), nargs="?", default="all")
    trained.add_argument("--task", action="append", help="only this task (may be repeated)")
    trained.add_argument("--seed", type=int, default=1)
    checked = verb(check, "validate the configuration")
    checked.add_argument("--connect", action="store_true", help="also ask Kafka and Triton")
    sent = verb(send, "put tickets of a file (CSV or JSON lines) on the tickets topic")
    sent.add_argument("file", type=Path)
    sent.add_argument(
        "--rate", type=float, metavar="PER_SECOND", help="tickets per second (default: at once)"
    )
    tailed = verb(tail, "follow the labels")
    tailed.add_argument("--json", action="store_true", help="the records as they are")
    tailed.add_argument("--count", type=int, help="stop after so many")
    tailed.add_argument("--beginning", action="store_true", help="from the oldest label on")
    _add_log_verbs(verb)
    described = verb(schema, "print the JSON Schema of a record")
    described.add_argument("name", help="ticket, label, answer, log or another record")
    return found


def _add_log_verbs(verb: Callable[[Any, str], argparse.ArgumentParser]) -> None:
    exported = verb(log, "make a Parquet file of the log, for the three verbs below")
    exported.add_argument("what", choices=("export",))
    exported.add_argument("file", type=Path)
    exported.add_argument(
        "--since", metavar="WHERE", type=moment, default="earliest", help="earliest or a time"
    )
    again = verb(replay, "decide a log again and compare, or ask what another rule would have done")
    again.add_argument(
        "--calibration", type=Path, action="append", default=[], metavar="FILE", help="an older one"
    )
    again.add_argument("--rule", metavar="KIND[:PARAMETERS]", help="such as majority or chow:0.1")
    again.add_argument("--after", metavar="KIND:ALPHA", help="such as v3:0.2, diff:0.1 or v2:0.1")
    again.add_argument("--mode", choices=("sequential", "optimistic", "hedged"))
    chosen = verb(calibrate, "choose a task's rule from a log, by one wish")
    wish = chosen.add_mutually_exclusive_group(required=True)
    wish.add_argument("--judge-budget", type=share, metavar="SHARE", help="such as 15%%")
    wish.add_argument("--fidelity", type=share, metavar="SHARE", help="agreement with the judge")
    wish.add_argument("--accuracy", type=share, metavar="SHARE", help="agreement with the truth")
    chosen.add_argument("--confidence", type=share, default=0.95, help="of the promise (0.95)")
    chosen.add_argument("--task", required=True)
    chosen.add_argument("--out", type=Path, metavar="FILE", help="not the configured file")
    shown = verb(evaluate, "report what each rule is worth on a log, as a page and JSON")
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


if __name__ == "__main__":
    sys.exit(main())
