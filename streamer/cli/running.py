"""Verbs that run services."""

import argparse
from pathlib import Path

from streamer.cli.verbs import Verbs, overrides, settings
from streamer.words import moment


def add(verbs: Verbs) -> None:
    for service, text in ((classify, "let workers vote on tickets"), (judge, "settle the rest")):
        added = verbs.add(service, f"run the {service.__name__} service: {text}")
        added.add_argument(
            "--listen", metavar="HOST:PORT", help="where to answer /metrics, /healthz and /readyz"
        )
        added.add_argument(
            "--resume",
            metavar="WHERE",
            type=moment,
            help="where to go on when the committed offset is gone: earliest, latest or a time",
        )
    verbs.add(up, "run Kafka, Triton, classify and judge here, until Ctrl-C")
    shown = verbs.add(demo, "play real tickets through the whole stack and report")
    shown.add_argument("--data", type=Path, metavar="DIR", help="play the data sets in this folder")
    shown.add_argument("--rate", type=float, help="tickets per second (default: 40 s in all)")


def classify(options: argparse.Namespace) -> int:
    from streamer.services import classify, process

    given = settings(options)
    return process.run(lambda stop: classify.serve(given, stop, options.resume))


def judge(options: argparse.Namespace) -> int:
    from streamer.services import judge, process

    given = settings(options)
    return process.run(lambda stop: judge.serve(given, stop, options.resume))


def up(options: argparse.Namespace) -> int:
    from streamer.dev import up

    return up.run(options.config, overrides(options))


def demo(options: argparse.Namespace) -> int:
    from streamer.dev import demo

    return demo.run(options.config, overrides(options), data=options.data, rate=options.rate)
