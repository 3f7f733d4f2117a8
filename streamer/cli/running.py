"""Verbs that run services."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.cli.verbs import Verbs, overrides, settings, with_json
from streamer.words import at_least_one, count, moment

if TYPE_CHECKING:
    from streamer.commands.judge_test.run import Wish


_JUDGED = (
    'streamer judge --try "My card was charged twice"',
    "streamer judge --test test.csv --task intent  # what is it worth, and how to ask it",
)


def add(verbs: Verbs) -> None:
    added = {}
    for service, text in (
        (classify, "let workers vote on tickets"),
        (judge, "settle the rest"),
        (table, "keep the state of every label"),
    ):
        name = service.__name__
        added[name] = verbs.add(
            service,
            f"run the {name} service: {text}",
            more="It runs until Ctrl-C or SIGTERM, finishes what it has begun, and commits that."
            " Run as many as you like: Kafka's consumer groups share the work. What it does is"
            " logged on stderr.",
            examples=(
                f"streamer {name}",
                f"streamer {name} --listen 0.0.0.0:9000",
                f"streamer {name} --resume earliest  # when Kafka has deleted what comes next",
                *(_JUDGED if service is judge else ()),
            ),
        )
        added[name].add_argument(
            "--listen", metavar="HOST:PORT", help="where to answer /metrics, /healthz and /readyz"
        )
        added[name].add_argument(
            "--resume",
            metavar="WHERE",
            type=moment,
            help="where to go on when the committed offset is gone: earliest, latest or a time",
        )
    _add_trial(added["judge"])
    added["table"].add_argument(
        "--rebuild",
        action="store_true",
        help="write its topic anew from all labels, and end: after partitions were added",
    )
    watching = verbs.add(
        monitor,
        "run the monitor: a live page of what the services do, and alarms",
        more="Run one of it. It adds up what classify and judge tell once a second, serves a page"
        " with its JSON, and writes alarms to the alerts topic. Beyond loopback it asks for a"
        " monitor.token.",
        examples=("streamer monitor", "streamer monitor --listen 127.0.0.1:9000"),
    )
    watching.add_argument("--listen", metavar="HOST:PORT", help="where to answer")
    verbs.add(
        up,
        "run Kafka, Triton and all services here, until Ctrl-C",
        more="It trains what is missing, and starts again what ends unexpectedly. With --kafka or"
        " --triton it uses yours instead of its own.",
        examples=("streamer up", "streamer up --kafka kafka.internal:9092"),
    )
    shown = verbs.add(
        demo,
        "play real tickets through the whole stack and report",
        examples=(
            "streamer demo",
            "streamer demo --data my-data-sets --rate 50",
            "streamer demo --judge llm  # a small language model, and the encoder beside it",
            "streamer demo --loop  # segments, aligned workers, a trial and a promotion",
        ),
    )
    shown.add_argument("--data", type=Path, metavar="DIR", help="play the data sets in this folder")
    shown.add_argument(
        "--judge",
        choices=("classifier", "llm"),
        metavar="KIND",
        help="classifier or llm (as judge.kind says)",
    )
    shown.add_argument(
        "--loop", action="store_true", help="show how a young task learns from its judge instead"
    )
    shown.add_argument("--rate", type=float, help="tickets per second (default: 40 s in all)")


def classify(options: argparse.Namespace) -> int:
    from streamer.services.classify.serve import serve
    from streamer.services.runtime import process

    given = settings(options)
    return process.run(lambda stop: serve(given, stop, options.resume), options.config)


def judge(options: argparse.Namespace) -> int:
    from streamer.cli.judge_python import go_on_there

    given = settings(options)
    go_on_there(given)
    if options.test is not None:
        from streamer.commands.judge_test import run

        return run.run(given, _wish(options))
    if options.text is not None:
        from streamer.commands import judge_try

        return judge_try.run(given, options.text, options.task, options.json)
    from streamer.services.judge.serve import serve
    from streamer.services.runtime import process

    return process.run(lambda stop: serve(given, stop, options.resume), options.config)


def table(options: argparse.Namespace) -> int:
    from streamer.services.runtime import process
    from streamer.services.table.service import serve

    given = settings(options)
    if options.rebuild:
        from streamer.services.table import rebuild

        return rebuild.run(given)
    return process.run(lambda stop: serve(given, stop, options.resume), options.config)


def monitor(options: argparse.Namespace) -> int:
    from streamer.services.monitor.serve import serve
    from streamer.services.runtime import process

    given = settings(options)
    return process.run(lambda stop: serve(given, stop), options.config)


def up(options: argparse.Namespace) -> int:
    from streamer.dev import up

    return up.run(options.config, overrides(options))


def demo(options: argparse.Namespace) -> int:
    from streamer.dev.demo import loop, run

    given = overrides(options) | ({"judge.kind": options.judge} if options.judge else {})
    if options.loop:
        return loop.run(options.config, given)
    return run(options.config, given, data=options.data, rate=options.rate)


def _add_trial(judging: argparse.ArgumentParser) -> None:
    tried = judging.add_argument_group("one ticket, without Kafka")
    tried.add_argument(
        "--try", dest="text", metavar="TEXT", help="show prompt, scores and verdict, and end"
    )
    tried.add_argument(
        "--task", metavar="NAME", action="append", help="of this task only (may be repeated)"
    )
    with_json(tried, "one line of JSON for each task")
    _add_test(judging.add_argument_group("a test on labelled tickets, without Kafka"))


def _add_test(tested: "argparse._ArgumentGroup") -> None:
    tested.add_argument(
        "--test",
        type=Path,
        metavar="FILE",
        help="say what the judge is worth on these, and how to ask it; goes on where it ended",
    )
    tested.add_argument(
        "--choose",
        type=at_least_one,
        metavar="N",
        default=200,
        help="training tickets to choose on (200)",
    )
    tested.add_argument(
        "--tickets", type=at_least_one, metavar="N", help="first so many of FILE (all)"
    )
    tested.add_argument(
        "--prompt",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="another prompt, to be tried beside (repeatable)",
    )
    tested.add_argument(
        "--examples", type=count, metavar="N", default=6, help="nearest examples to try (6)"
    )
    tested.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        default=Path("judge-test"),
        help="for answers and pages, a folder for each task (judge-test)",
    )
    tested.add_argument(
        "--write", action="store_true", help="put what was chosen into the configuration"
    )


def _wish(options: argparse.Namespace) -> "Wish":
    from streamer.commands.judge_test.run import Wish

    return Wish(
        file=options.test.absolute(),
        tasks=tuple(options.task or ()),
        choose=options.choose,
        tickets=options.tickets,
        prompts=tuple(options.prompt),
        examples=options.examples,
        out=options.out,
        config=options.config if options.write else None,
        as_json=options.json,
    )
