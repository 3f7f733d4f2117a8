"""How fast one process drains a backlog, beside the bare loop on the same two cores."""

import argparse
import asyncio
import statistics
from typing import NamedTuple

from bench.labels import steady_rate, wait_for, written
from bench.process import cpu_s
from bench.result import Result, load, spread
from bench.stand import Stand, running, stand
from bench.tickets import backlog
from streamer.dev.child import Child

WITHIN_S = 300.0


class Drain(NamedTuple):
    """Tickets per second of the steady part, and what a ticket takes of the process's own CPU."""

    rate: float
    cpu_us: float


def run(options: argparse.Namespace) -> list[Result]:
    """Rounds of runs over one backlog: classify, bare, and bare with the partitions given."""
    ours: list[Drain] = []
    bare: list[Drain] = []
    least: list[Drain] = []
    loads: list[float] = []
    with stand() as here:
        tickets = here.topic("tickets")
        asyncio.run(backlog(here.bootstrap, tickets, options.tickets))
        for _ in range(options.pairs):
            labels, other, third = (here.topic("labels") for _ in range(3))
            ours.append(drain(here, here.classify(tickets, labels), labels, options.tickets))
            bare.append(drain(here, here.bare(tickets, other, labels), other, options.tickets))
            given = here.bare(tickets, third, labels, places="given")
            least.append(drain(here, given, third, options.tickets))
            loads.append(load())
            _show(ours[-1], bare[-1], loads[-1])
    ratios = [mine.rate / its.rate for mine, its in zip(ours, bare, strict=True)]
    against_least = [mine.rate / its.rate for mine, its in zip(ours, least, strict=True)]
    return [
        Result(
            "pipeline",
            statistics.median(drain.rate for drain in ours),
            "tickets/s",
            statistics.median(drain.rate for drain in bare),
            statistics.median(ratios),
            "ratio >= 0.6",
            {
                "tickets": options.tickets,
                "classify, per second": spread([drain.rate for drain in ours]),
                "bare, per second": spread([drain.rate for drain in bare]),
                "ratio per pair": spread(ratios),
                "classify, us of CPU": spread([drain.cpu_us for drain in ours]),
                "bare, us of CPU": spread([drain.cpu_us for drain in bare]),
                "bare with partitions given, per second": spread([d.rate for d in least]),
                "ratio to that": spread(against_least),
                "load": loads,
            },
        )
    ]


def _show(ours: Drain, bare: Drain, load: float) -> None:
    print(
        f"pipeline: classify {ours.rate:,.0f}/s with {ours.cpu_us:.1f} us of CPU each, "
        f"bare {bare.rate:,.0f}/s with {bare.cpu_us:.1f}; load {load}"
    )


def drain(here: Stand, child: Child, labels: str, count: int) -> Drain:
    """Let a process drain `count` tickets that wait, and stop it."""
    with running(child):
        first = asyncio.run(wait_for(here.bootstrap, labels, count // 10, WITHIN_S))
        began = cpu_s(child.pid)
        last = asyncio.run(wait_for(here.bootstrap, labels, count * 8 // 10, WITHIN_S))
        cpu_us = (cpu_s(child.pid) - began) / (last - first) * 1e6
        asyncio.run(wait_for(here.bootstrap, labels, count, WITHIN_S))
    return Drain(steady_rate(asyncio.run(written(here.bootstrap, labels))), cpu_us)
