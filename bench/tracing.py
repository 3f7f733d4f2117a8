"""What tracing costs: one backlog drained without it, at a sample of 0 %, and at 1 %."""

import argparse
import asyncio
import os
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.pipeline import Drain, drain
from bench.result import Result, load, spread
from bench.sink import sink
from bench.stand import Stand, stand
from bench.tickets import backlog

OFF = {"OTEL_SDK_DISABLED": "true"}
ON = {"OTEL_SDK_DISABLED": "false"}
WAYS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "off": (OFF, "0"),
    "0 %": (ON, "0"),
    "1 %": (ON, "0.01"),
}
"""Environment and `tracing.sample` of each way."""


def run(options: argparse.Namespace) -> list[Result]:
    """Rounds of one run each way; the ratios are within a round, whose order turns around."""
    drains: dict[str, list[Drain]] = {way: [] for way in WAYS}
    loads: list[float] = []
    # Triton writes its spans too, of the calls that carry a context.
    with sink() as spans, _environment({"OTEL_EXPORTER_OTLP_ENDPOINT": spans}), stand() as here:
        tickets = here.topic("tickets")
        asyncio.run(backlog(here.bootstrap, tickets, options.tickets))
        for number in range(options.pairs):
            for way in list(WAYS)[:: -1 if number % 2 else 1]:
                drains[way].append(_drained(here, tickets, way, options.tickets))
            loads.append(load())
            _show({way: found[-1] for way, found in drains.items()}, loads[-1])
    return [
        _result("tracing", drains["1 %"], drains["0 %"], "ratio >= 0.97", loads),
        _result("tracing_at_0", drains["0 %"], drains["off"], "ratio about 1", loads),
    ]


def _drained(here: Stand, tickets: str, way: str, count: int) -> Drain:
    environment, sample = WAYS[way]
    labels = here.topic("labels")
    with _environment(environment):
        child = here.classify(tickets, labels, settings={"tracing.sample": sample})
    return drain(here, child, labels, count)


def _result(
    name: str, these: list[Drain], those: list[Drain], wanted: str, loads: list[float]
) -> Result:
    ratios = [one.rate / other.rate for one, other in zip(these, those, strict=True)]
    costs = [one.cpu_us / other.cpu_us for one, other in zip(these, those, strict=True)]
    return Result(
        name,
        statistics.median(one.rate for one in these),
        "tickets/s",
        statistics.median(one.rate for one in those),
        statistics.median(ratios),
        wanted,
        {
            "ratio per pair": spread(ratios),
            "us of CPU": spread([one.cpu_us for one in these]),
            "us of CPU, reference": spread([one.cpu_us for one in those]),
            "CPU, ratio per pair": spread(costs),
            "load": loads,
        },
    )


def _show(found: Mapping[str, Drain], load: float) -> None:
    ways = ", ".join(
        f"{way} {one.rate:,.0f}/s with {one.cpu_us:.1f} us of CPU" for way, one in found.items()
    )
    print(f"tracing: {ways}; load {load}")


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    """These variables meanwhile, for the processes that are started."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
