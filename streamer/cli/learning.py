"""Verbs that learn from examples and from the log."""

import argparse
from pathlib import Path
from typing import get_args

from streamer.cli.verbs import Verbs, settings, with_json
from streamer.records.log import Mode
from streamer.words import amount, model, share, since


def add(verbs: Verbs) -> None:
    trained = verbs.add(
        train,
        "train workers and judge from the tasks' data",
        more="What was made of the same examples, labels, seed and code is kept. Scores are of"
        " examples that the model has not seen. Models that were not trained here stay as they"
        " are: a folder that holds one is never written to. A language model that is stopped while"
        " it learns goes on from where it was, when the same is asked for again.",
        examples=(
            "streamer train",
            "streamer train workers --task intent",
            "streamer train judge --kind llm --base models/smollm2-135m",
            "streamer train --json | jq .models",
        ),
    )
    trained.add_argument(
        "what",
        choices=("all", "workers", "judge"),
        metavar="WHAT",
        nargs="?",
        default="all",
        help="all (default), workers or judge",
    )
    trained.add_argument(
        "--task", metavar="NAME", action="append", help="only this task (may be repeated)"
    )
    trained.add_argument(
        "--kind",
        choices=("classifier", "llm"),
        metavar="KIND",
        help="of the judge: classifier, or llm to teach a language model (classifier)",
    )
    trained.add_argument(
        "--base", metavar="FOLDER", help="of kind llm: the language model that is taught"
    )
    trained.add_argument(
        "--layers", type=int, metavar="N", default=12, help="of kind llm: the last N learn (12)"
    )
    trained.add_argument(
        "--epochs", type=int, metavar="N", default=3, help="of kind llm: N times all examples (3)"
    )
    trained.add_argument("--seed", type=int, metavar="N", default=1, help="of chance (1)")
    with_json(trained)
    _add_worker(verbs)
    exported = verbs.add(
        log,
        "make a Parquet file of the log, for the verbs below",
        more="It takes what lies in the log topic now, and joins no group.",
        examples=(
            "streamer log export log.parquet",
            "streamer log export week.parquet --since 2026-01-24T00:00:00Z",
        ),
    )
    exported.add_argument("what", choices=("export",), metavar="export", help="the one way")
    exported.add_argument("file", type=Path, metavar="FILE", help="the Parquet file to write")
    exported.add_argument(
        "--since", metavar="WHEN", type=since, default="earliest", help="a time, or 24h (earliest)"
    )
    with_json(exported)
    _add_log_verbs(verbs)


def train(options: argparse.Namespace) -> int:
    from streamer.learn.judge.order import Teaching
    from streamer.learn.train import train

    base = options.base
    return train.run(
        settings(options),
        what=options.what,
        tasks=options.task,
        kind=options.kind,
        teaching=None if base is None else Teaching(base, options.layers, options.epochs),
        seed=options.seed,
        as_json=options.json,
    )


def worker(options: argparse.Namespace) -> int:
    from streamer.commands import worker

    wanted = worker.RemoteWorker(
        model=options.model,
        task=options.task,
        url=options.url,
        served=options.served,
        key_from=options.key_from,
        ca_file=options.ca_file,
        prompts=options.prompts,
        codes=options.codes,
    )
    return worker.run(settings(options), wanted, options.json)


def log(options: argparse.Namespace) -> int:
    from streamer.commands import log_export

    return log_export.run(settings(options), options.file, options.since, options.json)


def replay(options: argparse.Namespace) -> int:
    from streamer.commands import arguments, replay

    given = settings(options)
    if options.rule is options.after is options.mode is None:
        return replay.run(given, options.log, options.calibration, options.segments, options.json)
    return replay.suppose(
        given,
        options.log,
        options.task,
        arguments.rule(options.rule) if options.rule else None,
        arguments.after(options.after) if options.after else None,
        options.mode or "sequential",
        arguments.prices(options.latency),
        options.json,
    )


def calibrate(options: argparse.Namespace) -> int:
    from streamer.commands import arguments, calibrate

    return calibrate.run(
        settings(options),
        options.log,
        options.task,
        arguments.targets(options),
        options.gold,
        options.out,
        options.json,
        options.trial,
        arguments.margin(options),
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
        options.json,
        options.small_judge,
        options.margin,
    )


def _add_worker(verbs: Verbs) -> None:
    made = verbs.add(
        worker,
        "make a worker of a language model behind an endpoint",
        more="It asks the endpoint what it can, and writes the version that Triton then serves,"
        " with the judge's prompt of the task. The version's number is a hash of server, model and"
        " prompt: what answers otherwise is another one.",
        examples=(
            "streamer worker intent_llm --task intent --url http://models.internal:8000",
            "streamer worker intent_llm --task intent --url https://api.example.com/v1 --served"
            " small --key-from WORKER_KEY",
        ),
    )
    made.add_argument("model", type=model, metavar="MODEL", help="its name in Triton")
    made.add_argument("--task", metavar="NAME", required=True, help="the task")
    made.add_argument(
        "--url", required=True, help="of vLLM's server, or of one that speaks OpenAI's protocol"
    )
    made.add_argument(
        "--served", metavar="NAME", help="the model's name there (the one that is served)"
    )
    made.add_argument(
        "--key-from", metavar="VARIABLE", help="the key's variable, here and where Triton runs"
    )
    made.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="the authority, PEM (the system's)"
    )
    made.add_argument(
        "--prompts", type=Path, metavar="FOLDER", help="its prompts (those of the judge)"
    )
    made.add_argument(
        "--codes", choices=("letters", "names"), metavar="CODES", help="letters or names (names)"
    )
    with_json(made)


def _add_log_verbs(verbs: Verbs) -> None:
    again = verbs.add(
        replay,
        "decide a log again and compare, or ask what another rule would have done",
        more="Without --rule, --after and --mode every decision is made again, bit for bit; it ends"
        " with 1 where one differs.",
        examples=(
            "streamer replay log.parquet",
            "streamer replay log.parquet --rule majority:confidence=mean,at_least=0.8",
            "streamer replay log.parquet --after v3:0.2 --json | jq .fidelity.value",
        ),
    )
    again.add_argument(
        "--calibration", type=Path, action="append", default=[], metavar="FILE", help="an older one"
    )
    again.add_argument(
        "--segments", type=Path, action="append", default=[], metavar="DIR", help="older ones"
    )
    again.add_argument("--rule", metavar="KIND[:PARAMETERS]", help="such as majority or chow:0.1")
    again.add_argument("--after", metavar="KIND:ALPHA", help="such as v3:0.2, diff:0.1 or pool:0.3")
    modes = (*get_args(Mode), "hedged")
    again.add_argument("--mode", choices=modes, metavar="MODE", help=", ".join(modes))
    chosen = verbs.add(
        calibrate,
        "choose a task's rule from a log, by one wish",
        more="It writes the file that tasks.NAME.calibration names, or NAME.calibration.json, and"
        " says what it promises, what the rule of now is worth, and what to write to serve by it.",
        examples=(
            "streamer calibrate log.parquet --task intent --judge-budget 15%",
            "streamer calibrate log.parquet --task intent --fidelity 0.97 --confidence 0.95",
            "streamer calibrate log.parquet --task intent --accuracy 0.9 --gold gold.csv",
            "streamer calibrate log.parquet --task intent --judge-budget 15% --margin 0.3",
        ),
    )
    wish = chosen.add_mutually_exclusive_group(required=True)
    wish.add_argument("--judge-budget", type=share, metavar="SHARE", help="such as 15%%")
    wish.add_argument("--fidelity", type=share, metavar="SHARE", help="agreement with the judge")
    wish.add_argument("--accuracy", type=share, metavar="SHARE", help="agreement with the truth")
    chosen.add_argument("--confidence", type=share, default=0.95, help="of the promise (0.95)")
    chosen.add_argument(
        "--margin",
        type=float,
        metavar="POINTS",
        help="choose the rule after the judge, too: one at most so much worse than the judge",
    )
    chosen.add_argument("--task", metavar="NAME", required=True, help="the task")
    chosen.add_argument("--out", type=Path, metavar="FILE", help="not the configured file")
    chosen.add_argument("--trial", action="store_true", help="for the versions on trial")
    shown = verbs.add(
        evaluate,
        "report what each rule is worth on a log, as a page and JSON",
        examples=(
            "streamer evaluate log.parquet --out report",
            "streamer evaluate log.parquet --out report --price judge=1 --price intent_word=0.001",
            "streamer evaluate log.parquet --out report --task intent --small-judge intent_net"
            " --price judge=1 --price intent_word=0.001 --price intent_net=0.1",
        ),
    )
    shown.add_argument(
        "--out", type=Path, metavar="FOLDER", required=True, help="where to write the reports"
    )
    shown.add_argument(
        "--small-judge", metavar="WORKER", help="would it pay as a judge before the judge?"
    )
    shown.add_argument(
        "--margin", type=float, default=1.0, metavar="POINTS", help="as good is within these (1)"
    )
    for added in (again, chosen, shown):
        added.add_argument("log", type=Path, metavar="LOG", help="from `streamer log export`")
        with_json(added)
    for added in (chosen, shown):
        added.add_argument("--gold", type=Path, metavar="FILE", help="true labels: id, label")
    for added in (again, shown):
        added.add_argument(
            "--task", metavar="NAME", action="append", default=[], help="only this (repeatable)"
        )
    _add_amounts(again, "--latency", "mean seconds of one answer, of a worker or `judge`")
    _add_amounts(shown, "--latency", "mean seconds of one answer, of a worker or `judge`")
    _add_amounts(shown, "--price", "price of one answer, of a worker or `judge`")


def _add_amounts(verb: argparse.ArgumentParser, name: str, text: str) -> None:
    verb.add_argument(
        name, metavar="NAME=NUMBER", type=amount, action="append", default=[], help=text
    )
