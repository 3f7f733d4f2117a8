"""Verbs about what is needed before anything runs."""

import argparse
from pathlib import Path

from streamer.cli.verbs import Verbs, with_json
from streamer.words import share


def add(verbs: Verbs) -> None:
    sized = verbs.add(
        size,
        "say how many pods, partitions and GPUs a rate of tickets needs, and what it costs",
        more="Every figure comes with its formula. What one pod can do is an option: the defaults"
        " are of docs/sizing.md, which says which were measured and which are arithmetic.",
        examples=(
            "streamer size --rate 500 --coverage 85%",
            "streamer size --rate 500 --coverage 85% --judge-tokens 27000 --gpu-price 2.20",
            "streamer size --rate 500 --coverage 85% --measured judge-test/topic/judge.json",
            "streamer size --rate 500 --coverage 0.85 --json | jq .judges",
        ),
        configured=False,
    )
    sized.add_argument("--rate", type=float, metavar="N", required=True, help="tickets a second")
    sized.add_argument(
        "--coverage", type=share, metavar="SHARE", required=True, help="accepted without the judge"
    )
    sized.add_argument("--tasks", type=float, metavar="N", default=1, help="per ticket (1)")
    sized.add_argument("--audit", type=share, metavar="SHARE", default=0.01, help="audited (1%%)")
    _add_capacity(sized)
    _add_burst(sized)
    with_json(sized)


def size(options: argparse.Namespace) -> int:
    from streamer.commands import size
    from streamer.commands.measured_tokens import MeasuredTokens
    from streamer.sizing.capacity import Capacity
    from streamer.sizing.load import Load
    from streamer.sizing.plan import Burst

    measured = MeasuredTokens.read(options.measured) if options.measured else None
    return size.run(
        Load(options.rate, options.coverage, options.tasks, options.audit),
        Capacity(
            classify=options.classify,
            workers=options.workers,
            judge_tokens=options.judge_tokens,
            ticket_tokens=options.ticket_tokens if measured is None else measured.tokens,
            cpu_price=options.cpu_price,
            gpu_price=options.gpu_price,
            busy=options.busy,
        ),
        [Burst(options.burst, options.burst_lasts, start) for start in options.judge_start],
        options.most_judges,
        options.json,
        None if measured is None else measured.verdicts,
    )


def _add_capacity(sized: argparse.ArgumentParser) -> None:
    can = sized.add_argument_group("what one pod can do")
    for name, unit, default, text in (
        ("--classify", "N", 40_000, "tickets a second of one classify pod"),
        ("--workers", "N", 10_000, "tickets a second and task of one workers pod"),
        ("--judge-tokens", "N", 50_000, "prompt tokens a second of one judge"),
        ("--ticket-tokens", "N", 250, "tokens of a judged ticket that no cache holds"),
        ("--cpu-price", "PRICE", 0.10, "an hour of a pod without a GPU"),
        ("--gpu-price", "PRICE", 3.0, "an hour of a judge"),
    ):
        can.add_argument(
            name, type=float, metavar=unit, default=default, help=f"{text} ({default:g})"
        )
    can.add_argument(
        "--measured",
        type=Path,
        metavar="FILE",
        nargs="+",
        help="take the tokens of a judged ticket from what judges answered on /metrics, or from"
        " judge.json of `streamer judge --test`",
    )
    can.add_argument(
        "--busy", type=share, metavar="SHARE", default=0.6, help="of its capacity in use (60%%)"
    )
    can.add_argument("--most-judges", type=int, metavar="N", help="after scaling (twice as many)")


def _add_burst(sized: argparse.ArgumentParser) -> None:
    burst = sized.add_argument_group("a burst")
    burst.add_argument("--burst", type=float, metavar="N", default=10, help="times the rate (10)")
    burst.add_argument(
        "--burst-lasts", type=float, metavar="SECONDS", default=300, help="how long (300)"
    )
    burst.add_argument(
        "--judge-start",
        type=float,
        metavar="SECONDS",
        nargs="+",
        default=[300.0, 1200.0],
        help="until a new judge judges (300 and 1200)",
    )
