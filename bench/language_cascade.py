"""The first paper's experiment on real language models: a small one that was taught, an encoder and
n-grams vote, and a larger language model settles the rest.

What each is worth and costs comes of asking it alone, the workers through Triton, the judge through
Kafka; then each set of workers serves the same tickets. Costs are seconds of CPU: wall time on two
shared cores measures contention.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from aiokafka import AIOKafkaProducer

from bench.cascade import classify_by, drain
from bench.process import tree_cpu_s
from bench.result import Result, load
from bench.served import served
from streamer.commands.worker import RemoteWorker
from streamer.commands.worker import run as make_worker
from streamer.config import Settings
from streamer.config import load as load_settings
from streamer.decide.predictions import Predictions
from streamer.dev.base_model import base_model
from streamer.dev.bring_up import bring_up
from streamer.dev.demo.data_sets import write_config
from streamer.dev.demo.judge_only import judge_all
from streamer.dev.demo.observer import Observer
from streamer.dev.demo.scenario import Played, test_tickets
from streamer.dev.jars import user_cache
from streamer.dev.stack import Stack
from streamer.dev.triton import Triton
from streamer.errors import ConfigError
from streamer.judging.engine.model_folder import newest_version
from streamer.learn.judge.order import Teaching
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import Committee, committees, figures, predicted_speedup, share
from streamer.learn.train import train
from streamer.services.runtime.kafka import kafka_clients
from streamer.workers.triton import TritonClient
from streamer.workers.wire import TextTensor

CONFIG = Path("streamer.yaml")
TASKS = ("sentiment", "queue")
PROMPTS = Path(__file__).parent / "prompts"
LONGEST = 512
"""Tokens: a bare prompt with a ticket of `max_ticket_tokens` fits."""

EPOCHS = 2
CALL, CALLS = 8, 8
WARM = 16
DEADLINE_S = 300.0
"""Of a worker's call, and without an answer of the judge."""

WORKERS = {"word": "word_ngrams", "enc": "encoder", "llm": None}
"""The kind that is trained here by the last word of the model's name: the cheapest comes first, the
third is asked where it can still decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What runs: the stack by its configuration, Triton, and the taught model's server."""

    config: Path
    stack: Stack
    triton: Triton
    server: int | None

    @property
    def settings(self) -> Settings:
        return self.stack.settings

    def worker_cpu_s(self) -> float:
        return tree_cpu_s(self.triton.pid) + tree_cpu_s(self.server)

    def judge_cpu_s(self) -> float:
        return tree_cpu_s(self.stack.services["judge"].pid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One task's tickets with gold, and what workers and judge say, each asked alone about all.

    Costs are seconds of CPU for a ticket.
    """

    task: str
    tickets: Sequence[Played]
    gold: Labels
    judge: Labels
    judge_cost: float
    answers: Mapping[str, Labels]
    costs: Mapping[str, float]


def run(options: argparse.Namespace) -> Iterator[Result]:
    """Of both tasks every pair, and both votes of all three."""
    for name in TASKS:
        yield from _task(name, options)


def _task(name: str, options: argparse.Namespace) -> list[Result]:
    """Teach, train and serve, and ask."""
    model = _taught(options.data, name)
    config = _config(options.data, name, _judge(options.judge))
    settings = load_settings(config)
    train.run(settings, what="workers", kept=False)
    python, state = settings.path(settings.judge.python), settings.path(settings.state)
    repository = settings.path(settings.triton.models)
    with served(model, python, state / "logs" / "served.log", LONGEST) as server:
        prompts = model / "prompts"
        asks = RemoteWorker(model=f"{name}_llm", task=name, url=server.url, prompts=prompts)
        make_worker(settings, asks, as_json=False)
        models = [worker.model for worker in settings.tasks[name].workers]
        with (
            Triton(state / "triton", repository, models=models) as triton,
            Stack(config, {"triton.url": triton.url}, print) as stack,
        ):
            bring_up(stack, print, own_workers=False)
            here = Here(config=config, stack=stack, triton=triton, server=server.pid)
            return asyncio.run(_measure(here, name, options.asked))


def _taught(data: Path, name: str) -> Path:
    """The folder of the small model that knows the task's labels, taught where it was not."""
    judge = {"kind": "llm", "model": f"taught-{name}"}
    settings = load_settings(_config(data, name, judge, "taught"))
    base = base_model(settings.path(settings.judge.python))
    train.run(settings, what="judge", kind="llm", teaching=Teaching(str(base), epochs=EPOCHS))
    return newest_version(settings.path(settings.judge.model))


def _judge(folder: Path | None) -> dict[str, object]:
    """Asked by names, which was the best way (docs/judge.md)."""
    folder = folder or user_cache() / "models" / "qwen2.5-coder-1.5b"
    if not (folder / "config.json").exists():
        raise ConfigError(f"there is no model in {folder}: name the judge's folder by --judge")
    return {
        "kind": "llm",
        "model": str(folder.resolve()),
        "prompts": str(PROMPTS.resolve()),
        "codes": "names",
    }


def _config(data: Path, name: str, judge: Mapping[str, object], end: str = "cascade") -> Path:
    path = write_config(data, load_settings(CONFIG), [name])
    body = yaml.safe_load(path.read_text())
    body["judge"] |= {"max_ticket_tokens": 256, "stalled_after": 600, **judge}
    body["triton"] |= {"deadline": DEADLINE_S, "abstain_after": DEADLINE_S}
    [task] = body["tasks"].values()
    task["workers"] = [
        {"model": f"{name}_{short}", "kind": kind} for short, kind in WORKERS.items()
    ]
    task["rule"] = "majority"
    # Nothing is calibrated: what is told of are the test tickets alone.
    task["data"]["held_back"] = 0
    path = path.with_name(f"{name}-{end}.yaml")
    path.write_text(yaml.safe_dump(body, sort_keys=False))
    return path


async def _measure(here: Here, name: str, count: int) -> list[Result]:
    settings = here.settings
    observer = Observer(settings)
    clients = kafka_clients(settings.kafka)
    producer = clients.producer(limit=settings.kafka.max_record_bytes, compression=None)
    results = []
    async with clients.started(producer), observer.watching():
        known = await _known(here, producer, observer, name, count)
        for some in committees(list(known.answers)):
            as_served = await _served(here, producer, observer, known, some)
            results.append(_result(known, some, as_served))
    return results


async def _known(
    here: Here, producer: AIOKafkaProducer, observer: Observer, name: str, count: int
) -> Known:
    settings = here.settings
    index = settings.tasks[name].label_set.index
    every = [ticket for ticket in test_tickets(settings) if name in ticket.gold]
    tickets, warm = every[:count], every[count:][:WARM]
    await judge_all(producer, observer, settings, [(each, name) for each in warm], DEADLINE_S)
    before = here.judge_cpu_s()
    asked = [(ticket, name) for ticket in tickets]
    verdicts = await judge_all(producer, observer, settings, asked, DEADLINE_S)
    judge_cost = (here.judge_cpu_s() - before) / len(tickets)
    answers, costs = {}, {}
    client = TritonClient(settings.triton.url)
    for worker in settings.tasks[name].workers:
        await _asked(client, worker.model, warm)
        before = here.worker_cpu_s()
        answers[worker.model] = await _asked(client, worker.model, tickets)
        costs[worker.model] = (here.worker_cpu_s() - before) / len(tickets)
    await client.close()
    return Known(
        task=name,
        tickets=tickets,
        gold=np.array([index[ticket.gold[name]] for ticket in tickets]),
        judge=np.array([index[label] for label in verdicts.labels]),
        judge_cost=judge_cost,
        answers=answers,
        costs=costs,
    )


async def _asked(client: TritonClient, model: str, tickets: Sequence[Played]) -> Labels:
    """As many calls at once as classify makes."""
    slots = asyncio.Semaphore(CALLS)

    async def call(part: TextTensor) -> Labels:
        async with slots:
            _, probs = await client.infer(model, part, DEADLINE_S)
        return Predictions.of(probs).label_ids

    parts = TextTensor([ticket.text.encode() for ticket in tickets]).parts(CALL)
    return np.concatenate(await asyncio.gather(*map(call, parts)))


async def _served(
    here: Here, producer: AIOKafkaProducer, observer: Observer, known: Known, some: Committee
) -> dict[str, object]:
    """The same tickets end to end. What the workers' model said minutes ago it still knows, so its
    cost is not seen here.
    """
    async with classify_by(here.stack, here.config, known.task, some) as source:
        before = here.judge_cpu_s()
        accounts, _ = await drain(producer, observer, source, known.task, known.tickets)
        spent = here.judge_cpu_s() - before
    kinds = Counter(outcome.kind for _, outcome, _ in accounts.outcomes())
    right = [outcome.detail == one.gold[known.task] for one, outcome, _ in accounts.outcomes()]
    return {
        "served: labels by": dict(kinds),
        "served: accuracy": str(share(np.array(right))),
        "served: judge, CPU ms a call": spent / max(kinds["judge"], 1) * 1000,
    }


def _result(known: Known, some: Committee, as_served: Mapping[str, object]) -> Result:
    found = figures(some.accepted(known.answers), known.judge, known.gold)
    cost = some.cost(known.answers, known.costs)
    speedup = predicted_speedup(cost, known.judge_cost, found.coverage.value)
    kind = "pair" if len(some.workers) == 2 else some.kind
    ends = "-".join(worker.removeprefix(f"{known.task}_") for worker in some.workers)
    return Result(
        f"language_cascade-{known.task}-{kind}-{ends}",
        speedup,
        "x, by CPU seconds",
        1.0,
        speedup,
        "> 1, and accuracy >= that of the judge",
        {
            "A1": str(found.coverage),
            "A2": str(found.fidelity),
            "A3": str(found.agreement),
            "accuracy": str(found.accuracy),
            "judge calls": f"{len(known.gold) - found.coverage.hits} of {len(known.gold)}",
            "each alone": {
                name: str(share(said == known.gold)) for name, said in _all(known).items()
            },
            "CPU ms a ticket": {
                **{name: known.costs[name] * 1000 for name in some.workers},
                "judge": known.judge_cost * 1000,
            },
            **as_served,
            "wall time": "not told: on two cores that all share it measures contention",
            "load": load(),
        },
    )


def _all(known: Known) -> dict[str, Labels]:
    return {**known.answers, "judge": known.judge}
