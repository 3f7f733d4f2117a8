"""What the cascade is worth on real tasks: quality once over the test split, speed over a backlog.

Both ways drain the same tickets through the same Kafka and the same judge, warm, loading left out.
The test split is repeated for speed only; every share is of the split itself.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from aiokafka import AIOKafkaProducer

from bench.result import Result, load
from streamer.config import load as load_settings
from streamer.dev.bring_up import bring_up
from streamer.dev.demo.accounts import Accounts
from streamer.dev.demo.beside import classify_beside
from streamer.dev.demo.data_sets import write_config
from streamer.dev.demo.judge_only import judge_all
from streamer.dev.demo.observer import Observer
from streamer.dev.demo.playing import play, until_settled
from streamer.dev.demo.scenario import Played, test_tickets
from streamer.dev.demo.workers_alone import Alone, ask_alone
from streamer.dev.stack import Stack
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import Committee, committees, figures, predicted_speedup, share
from streamer.services.runtime.kafka import kafka_clients

PATIENCE_S = 120.0
CONFIG = Path("streamer.yaml")


@dataclass(frozen=True, slots=True)
class Known:
    """One task's test tickets with gold, the judge's verdicts and each worker's answers."""

    task: str
    tickets: Sequence[Played]
    gold: Labels
    judge: Labels
    alone: Mapping[str, Alone]
    judge_seconds: float


def run(options: argparse.Namespace) -> list[Result]:
    """Every pair and rule of every task, against asking the judge for all."""
    config = write_config(options.data, load_settings(CONFIG)) if options.data else CONFIG
    with Stack(config, {}, print) as stack:
        bring_up(stack, print, own_workers=True)
        return asyncio.run(_measure(stack, config, options.drained))


async def _measure(stack: Stack, config: Path, drained: int) -> list[Result]:
    settings = stack.settings
    observer = Observer(settings)
    clients = kafka_clients(settings.kafka)
    producer = clients.producer(limit=settings.kafka.max_record_bytes, compression=None)
    results = []
    async with clients.started(producer), observer.watching():
        for name in settings.tasks:
            known = await _known(stack, producer, observer, name, drained)
            for some in committees(list(known.alone)):
                async with classify_by(stack, config, name, some) as source:
                    backlog = _backlog(known.tickets, drained)
                    accounts, seconds = await drain(producer, observer, source, name, backlog)
                results.append(_result(known, some, seconds / accounts.records, drained))
    return results


async def _known(
    stack: Stack, producer: AIOKafkaProducer, observer: Observer, name: str, drained: int
) -> Known:
    settings = stack.settings
    tickets = [ticket for ticket in test_tickets(settings) if name in ticket.gold]
    index = settings.tasks[name].label_set.index
    asked = [(ticket, name) for ticket in _backlog(tickets, drained)]
    verdicts = await judge_all(producer, observer, settings, asked)
    models = [worker.model for worker in settings.tasks[name].workers]
    alone = await ask_alone(settings.triton.url, models, [ticket.text for ticket in tickets])
    return Known(
        name,
        tickets,
        np.array([index[ticket.gold[name]] for ticket in tickets]),
        np.array([index[label] for label in verdicts.labels[: len(tickets)]]),
        alone,
        verdicts.seconds / len(asked),
    )


@asynccontextmanager
async def classify_by(stack: Stack, config: Path, name: str, some: Committee) -> AsyncIterator[str]:
    """A classify with one task and these workers; its source is also the name of its topic."""
    source = f"{name}-{some.kind}-{len(some.workers)}-{time.time_ns()}"
    changes = {"tasks": {name: _task(config, name, some)}, "audit": {"share": 0}}
    async with classify_beside(stack.settings, config, source, changes):
        yield source


def _task(config: Path, name: str, some: Committee) -> dict[str, Any]:
    body = yaml.safe_load(config.read_text(encoding="utf-8"))
    return {**body["tasks"][name], "workers": list(some.workers), "rule": some.kind, "data": None}


async def drain(
    producer: AIOKafkaProducer,
    observer: Observer,
    source: str,
    task: str,
    backlog: Sequence[Played],
) -> tuple[Accounts, float]:
    """What became of all, and the seconds from the first one's arrival to the last label."""
    accounts = Accounts([task])
    observer.tell(accounts, source)
    began_ms = time.time() * 1000
    await play(producer, source, backlog, accounts, None)
    await until_settled(accounts, PATIENCE_S)
    if missing := accounts.unaccounted():
        raise RuntimeError(f"{len(missing)} tickets have no label, the first: {missing[0]}")
    last_ms = max(outcome.at_ms for _, outcome, _ in accounts.outcomes())
    return accounts, (last_ms - began_ms) / 1000


def _result(known: Known, some: Committee, seconds: float, drained: int) -> Result:
    answers = {name: alone.label_ids for name, alone in known.alone.items()}
    costs = {name: alone.cost for name, alone in known.alone.items()}
    found = figures(some.accepted(answers), known.judge, known.gold)
    cost = some.cost(answers, costs)
    predicted = predicted_speedup(cost, known.judge_seconds, found.coverage.value)
    label = "-".join(worker.removeprefix(f"{known.task}_") for worker in some.workers)
    kind = "pair" if len(some.workers) == 2 else some.kind
    return Result(
        f"cascade-{known.task}-{kind}-{label}",
        1 / seconds,
        "tickets/s",
        1 / known.judge_seconds,
        known.judge_seconds / seconds,
        "ratio >= 5 and accuracy >= judge-only - 0.005 (intent)",
        {
            "predicted speedup": predicted,
            "coverage": str(found.coverage),
            "fidelity": str(found.fidelity),
            "accuracy": str(found.accuracy),
            "judge-only accuracy": str(share(known.judge == known.gold)),
            "judge calls": len(known.gold) - found.coverage.hits,
            "test tickets": len(known.gold),
            "drained": drained,
            "worker us/ticket": cost * 1e6,
            "load": load(),
        },
    )


def _backlog(tickets: Sequence[Played], drained: int) -> list[Played]:
    return (list(tickets) * -(-drained // len(tickets)))[: max(drained, len(tickets))]
