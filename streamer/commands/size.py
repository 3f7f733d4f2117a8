"""`streamer size`: what a load needs, with every formula beside its figure."""

from collections.abc import Sequence
from dataclasses import asdict, astuple
from math import isfinite
from typing import Any

from streamer.errors import ConfigError
from streamer.sizing.backlog import BurstBacklog
from streamer.sizing.capacity import Capacity
from streamer.sizing.load import Load
from streamer.sizing.plan import Burst, Plan
from streamer.terminal import paint, tell, tell_json


def run(
    load: Load,
    can: Capacity,
    bursts: Sequence[Burst],
    most_judges: int | None,
    as_json: bool,
    measured_on: int | None = None,
) -> int:
    """Tell the plan for `load` and what each burst does; raises `ConfigError` for no such load.

    A ticket's tokens were `measured_on` so many verdicts, or assumed.
    """
    _check(load, can, bursts)
    plan = Plan.of(load, can, most_judges)
    backlogs = [burst.backlog(load, can, plan) for burst in bursts]
    if as_json:
        document = _document(load, can, plan, bursts, backlogs)
        tell_json({**document, "ticket_tokens": can.ticket_tokens, "measured_on": measured_on})
        return 0
    for what, figure, formula in _lines(load, can, plan, measured_on):
        tell(f"{paint(f'{what:<22}', 'bold')} {figure:>14}  {paint(formula, 'dim')}")
    for burst, backlog in zip(bursts, backlogs, strict=True):
        tell("")
        for line in _burst(burst, backlog, plan):
            tell(line)
    return 0


def _check(load: Load, can: Capacity, bursts: Sequence[Burst]) -> None:
    if not 0 <= load.coverage <= 1 or not 0 <= load.audit <= 1:
        raise ConfigError(
            "--coverage and --audit are shares: give numbers from 0 to 1, or 0% to 100%"
        )
    if not 0 < can.busy <= 1:
        raise ConfigError("--busy is a share above 0 and up to 1: 60% leaves room for bursts")
    numbers = [load.rate, load.tasks, *astuple(can)]
    numbers += [figure for burst in bursts for figure in (burst.factor, burst.lasts)]
    if not all(isfinite(number) and number > 0 for number in numbers):
        raise ConfigError("rates, tokens, prices and times must be above 0: look at the options")
    if any(not isfinite(burst.start) or burst.start < 0 for burst in bursts):
        raise ConfigError("--judge-start is a time in seconds: 0 or more")


def _lines(
    load: Load, can: Capacity, plan: Plan, measured_on: int | None
) -> list[tuple[str, str, str]]:
    busy = f"{can.busy:g} busy"
    source = "assumed" if measured_on is None else f"measured on {measured_on:,} verdicts"
    return [
        (
            "judge requests",
            f"{load.deferred:,.1f}/s",
            f"rate x tasks x (1 - coverage) = {load.rate:g} x {load.tasks:g} x "
            f"{1 - load.coverage:g}",
        ),
        (
            "audits",
            f"{load.audits:,.1f}/s",
            "rate x tasks x coverage x audited; they wait for room",
        ),
        (
            "classify pods",
            str(plan.classify),
            f"rate / (tickets a second of one x busy) = {load.rate:g} / "
            f"({can.classify:g} x {can.busy:g}), rounded up",
        ),
        (
            "workers pods",
            str(plan.workers),
            f"rate x tasks / ({can.workers:g} x {can.busy:g}), rounded up",
        ),
        (
            "one judge",
            f"{can.judged:,.1f}/s",
            f"prompt tokens a second / tokens of a ticket = {can.judge_tokens:g} / "
            f"{can.ticket_tokens:g}; the latter is {source}",
        ),
        (
            "judges (GPUs)",
            str(plan.judges),
            f"(judge requests + audits) / (one judge x {can.busy:g}), rounded up",
        ),
        ("judges at most", str(plan.most_judges), "after scaling: twice as many, or --most-judges"),
        (
            "partitions, tickets",
            str(plan.partitions),
            "twice the classify pods, in sixes: pods beyond the partitions stand idle",
        ),
        (
            "partitions, judge",
            str(plan.judge_partitions),
            "the most judges, in sixes; it can't be made fewer later",
        ),
        (
            "a million tickets",
            f"{plan.cost:,.2f}",
            f"((classify + workers) x {can.cpu_price:g} + judges x {can.gpu_price:g}) an hour / "
            f"tickets an hour; {busy}",
        ),
    ]


def _burst(burst: Burst, backlog: BurstBacklog, plan: Plan) -> list[str]:
    head = (
        f"{burst.factor:g} times the rate for {_time(burst.lasts)}, where a judge takes "
        f"{_time(burst.start)} to start:"
    )
    if backlog.empty_at == float("inf"):
        return [head, "  the queue is never empty again: allow more judges by --most-judges"]
    return [
        head,
        f"  {backlog.most:,.0f} requests wait at most, and none longer than "
        f"{_time(backlog.oldest)}",
        f"  caught up {_time(backlog.empty_at)} after the burst began, by {plan.judges} and then "
        f"{plan.most_judges} judges",
    ]


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _document(
    load: Load,
    can: Capacity,
    plan: Plan,
    bursts: Sequence[Burst],
    backlogs: Sequence[BurstBacklog],
) -> dict[str, Any]:
    return {
        "deferred": load.deferred,
        "audits": load.audits,
        "judged": can.judged,
        **asdict(plan),
        # JSON has no infinity: null says never.
        "bursts": [
            {**asdict(burst), **{name: _known(value) for name, value in asdict(backlog).items()}}
            for burst, backlog in zip(bursts, backlogs, strict=True)
        ],
    }


def _known(value: float) -> float | None:
    return value if isfinite(value) else None
