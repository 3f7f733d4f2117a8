"""How much memory classify takes at most while it drains a long backlog."""

import argparse
import asyncio

from bench.labels import wait_for
from bench.process import peak_mb
from bench.result import Result, load
from bench.stand import running, stand
from bench.tickets import backlog

WITHIN_S = 900.0
WANTED_MB = 300


def run(options: argparse.Namespace) -> list[Result]:
    """The peak of resident memory, as the kernel kept it, at the start and at the end."""
    with stand() as here:
        tickets, labels = here.topic("tickets"), here.topic("labels")
        asyncio.run(backlog(here.bootstrap, tickets, options.backlog))
        with running(here.classify(tickets, labels)) as child:
            peaks: list[float] = []
            for tenth in range(1, 11):
                count = options.backlog * tenth // 10
                asyncio.run(wait_for(here.bootstrap, labels, count, WITHIN_S))
                peaks.append(peak_mb(child.pid))
    return [
        Result(
            "memory",
            peaks[-1],
            "MB",
            WANTED_MB,
            peaks[-1] / WANTED_MB,
            f"peak <= {WANTED_MB} MB, not growing",
            {"tickets": options.backlog, "peak after each tenth": peaks, "load": load()},
        )
    ]
