"""What classify adds at a steady rate, from a ticket's arrival in Kafka to its label's."""

import argparse
import asyncio
import statistics
import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.labels import everything, wait_for
from bench.result import Result, load, spread
from bench.stand import Stand, running, stand
from bench.tickets import open_loop
from streamer.dev.child import Child

RATES = (100, 500, 2000)
WITHIN_S = 60.0
_WARM = 200


class Percentiles(NamedTuple):
    """In milliseconds."""

    p50: float
    p99: float


def run(options: argparse.Namespace) -> list[Result]:
    """Pairs of runs at each rate, classify and then bare, on topics of their own."""
    results: list[Result] = []
    with stand() as here:
        for rate in RATES:
            ours: list[Percentiles] = []
            bare: list[Percentiles] = []
            loads: list[float] = []
            for _ in range(options.pairs):
                tickets, labels = _topics(here)
                child = here.classify(tickets, labels)
                ours.append(_latency(here, child, tickets, labels, rate, options.seconds))
                others, other = _topics(here)
                child = here.bare(others, other, labels)
                bare.append(_latency(here, child, others, other, rate, options.seconds))
                loads.append(load())
                _show(rate, ours[-1], bare[-1], loads[-1])
            results += [
                _result(f"latency-{rate}-{name}", wanted, ours, bare, at, loads)
                for at, (name, wanted) in enumerate((("p50", 1.5), ("p99", 2.0)))
            ]
    return results


def _topics(here: Stand) -> tuple[str, str]:
    """Stamped by the broker: a feeder that has to wait for an answer is no part of what we add."""
    return here.topic("tickets", stamped=True), here.topic("labels", stamped=True)


def _result(
    name: str,
    wanted: float,
    ours: list[Percentiles],
    bare: list[Percentiles],
    at: int,
    loads: list[float],
) -> Result:
    mine, its = [found[at] for found in ours], [found[at] for found in bare]
    value, reference = statistics.median(mine), statistics.median(its)
    details = {"classify": spread(mine), "bare": spread(its), "load": loads}
    return Result(name, value, "ms", reference, value / reference, f"ratio <= {wanted}", details)


def _show(rate: int, ours: Percentiles, bare: Percentiles, load: float) -> None:
    print(
        f"latency at {rate}/s: classify p50 {ours.p50:.1f} p99 {ours.p99:.1f} ms, "
        f"bare p50 {bare.p50:.1f} p99 {bare.p99:.1f} ms; load {load}"
    )


def _latency(
    here: Stand, child: Child, tickets: str, labels: str, rate: int, seconds: float
) -> Percentiles:
    """Latencies of a run; the tickets of the warm-up and of the first second are left out."""
    count = int(rate * seconds)
    with running(child):
        asyncio.run(open_loop(here.bootstrap, tickets, _WARM, _WARM))
        asyncio.run(wait_for(here.bootstrap, labels, _WARM, WITHIN_S))
        _feed(here, tickets, count, rate)
        asyncio.run(wait_for(here.bootstrap, labels, _WARM + count, WITHIN_S))
    took = asyncio.run(_took(here.bootstrap, tickets, labels))[_WARM + rate :]
    # Timestamps are whole milliseconds: within each, latencies are taken to be spread evenly.
    spread_out = np.sort(took) + np.random.default_rng(1).uniform(-0.5, 0.5, len(took))
    p50, p99 = np.percentile(spread_out, [50, 99])
    return Percentiles(max(0.0, float(p50)), float(p99))


def _feed(here: Stand, tickets: str, count: int, rate: int) -> None:
    argv = [sys.executable, "-m", "bench.tickets", here.bootstrap, tickets, str(count), str(rate)]
    feeder = Child([*argv, "--first", str(_WARM)], here.folder / "feeder.log")
    feeder.start()
    feeder.wait(count / rate + WITHIN_S)
    if feeder.returncode:
        raise RuntimeError(f"the feeder failed:\n{feeder.log_tail()}")


async def _took(bootstrap: str, tickets: str, labels: str) -> NDArray[np.int64]:
    """Milliseconds from each ticket's timestamp to its label's, in the order of the tickets."""
    sent = {record.key: record.timestamp async for record in everything(bootstrap, tickets)}
    done: dict[bytes, int] = {}
    async for record in everything(bootstrap, labels):
        done[record.key.rpartition(b"/")[0]] = record.timestamp
    return np.array([done[key] - sent[key] for key in sorted(sent)], np.int64)
