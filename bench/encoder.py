"""What a worker on a sentence encoder is worth beside the others on real tasks, and what it costs.

Each kind learns from all of a task's training data, and from few of them; the figures are of the
test tickets. For the cost the encoder and the word n-grams answer the same tickets through Triton,
in turns.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.process import tree_cpu_s
from bench.result import Result, load, spread
from streamer.config import Settings
from streamer.config import load as load_settings
from streamer.config.tasks import STARTERS
from streamer.dev.demo.data_sets import write_config
from streamer.dev.triton import Triton
from streamer.learn.data.examples import Examples, read_examples
from streamer.learn.kinds import KINDS
from streamer.learn.measures.double_faults import pair_errors
from streamer.learn.measures.shares import share
from streamer.learn.train.training import Job, train_workers
from streamer.learn.train.worker import train_worker
from streamer.records.labelset import LabelSet
from streamer.workers.triton import TritonClient
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Worker

CONFIG = Path("streamer.yaml")
TASKS = ("sentiment", "reason", "queue", "intent")
FEW = (200, 1000)
"""Training examples, drawn at random, of the tasks `FEW_TASKS`."""
FEW_TASKS = ("sentiment", "queue")
TIMED = "sentiment"
ENCODER, REFERENCE = "encoder", "word_ngrams"
ENDS = {"enc": ENCODER, **STARTERS}
WANTED = 200
CALL, CALLS = 256, 4
SEED = 1

Asked = tuple[float, NDArray[np.int64]]
"""A model's accuracy on what its training held out, and its labels of the test tickets [N]."""


def run(options: argparse.Namespace) -> list[Result]:
    """By task the accuracy beside the best of the others and who errs with whom; then the cost."""
    settings = load_settings(write_config(options.data, load_settings(CONFIG), TASKS))
    trials: list[tuple[str, int | None]] = [(task, None) for task in TASKS]
    trials += [(task, count) for task in FEW_TASKS for count in FEW]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        asked = [
            {end: pool.submit(_asked, settings, task, kind, count) for end, kind in ENDS.items()}
            for task, count in trials
        ]
        results = [
            _quality(settings, task, count, {end: each.result() for end, each in one.items()})
            for (task, count), one in zip(trials, asked, strict=True)
        ]
    with TemporaryDirectory(prefix="bench-") as folder:
        return [*results, _speed(settings, Path(folder), options.pairs)]


def _asked(settings: Settings, task: str, kind: str, count: int | None) -> Asked:
    train, label_set = _examples(settings, task, "train")
    if count is not None:
        drawn = np.random.default_rng(SEED).permutation(len(train))[:count].tolist()
        texts, labels = ([each[index] for index in drawn] for each in (train.texts, train.labels))
        train = Examples(tuple(texts), tuple(labels))
    test, _ = _examples(settings, task, "test")
    with threadpool_limits(1):
        made = train_worker(KINDS[kind], train, label_set, seed=SEED)
        return made.scores.accuracy, made.model.probabilities(test.texts).argmax(axis=1)


def _examples(settings: Settings, task: str, part: str) -> tuple[Examples, LabelSet]:
    data, label_set = settings.tasks[task].data, settings.tasks[task].label_set
    assert data is not None  # of every task that data_sets writes
    text = settings.example_text(data)
    return read_examples(getattr(data, part), text=text, label=data.label), label_set


def _quality(
    settings: Settings, task: str, count: int | None, found: Mapping[str, Asked]
) -> Result:
    test, label_set = _examples(settings, task, "test")
    gold = np.array([label_set.index[label] for label in test.labels])
    answers = {end: labels for end, (_, labels) in found.items()}
    best = max(STARTERS, key=lambda end: found[end][0])
    right = {end: labels == gold for end, labels in answers.items()}
    gains = right["enc"].astype(np.float64) - right[best]
    gain, error = gains.mean(), 1.96 * gains.std() / np.sqrt(len(gains))
    value, reference = float(right["enc"].mean()), float(right[best].mean())
    details: dict[str, object] = {
        "accuracy": {end: share(each).value for end, each in right.items()},
        "best of the others, by held-out accuracy": best,
        "difference": f"{gain:+.3f} [{gain - error:+.3f}, {gain + error:+.3f}]",
        "tickets": len(gold),
    }
    for pair in pair_errors(answers, gold):
        details[" + ".join(pair.workers)] = {
            "agree": round(pair.agreement, 3),
            "kappa": round(pair.kappa, 3),
            "both wrong": round(pair.double_fault, 3),
            "wrong alike": round(pair.same_fault, 3),
            "right where they agree": round(1 - pair.same_fault / pair.agreement, 3),
        }
    name = f"encoder-{task}" if count is None else f"encoder-{task}-{count}"
    return Result(name, value, "accuracy", reference, value / reference, "", details)


def _speed(settings: Settings, folder: Path, pairs: int) -> Result:
    train, label_set = _examples(settings, TIMED, "train")
    test, _ = _examples(settings, TIMED, "test")
    jobs = [Job(TIMED, kind, kind, label_set, train) for kind in (ENCODER, REFERENCE)]
    train_workers(jobs, folder / "models", seed=SEED, progress=lambda *_: None)
    with Triton(folder / "triton", folder / "models") as triton:
        rates, costs = asyncio.run(_measured(triton, label_set, test.texts, pairs))
    ratios = [mine / other for mine, other in zip(rates[ENCODER], rates[REFERENCE], strict=True)]
    fastest = max(rates[ENCODER])
    details = {
        "tickets/s of the encoder": spread(rates[ENCODER]),
        "tickets/s of word n-grams": spread(rates[REFERENCE]),
        "ratio of each pair": spread(ratios),
        "CPU ms a ticket of the encoder, all of Triton": spread(costs[ENCODER]),
        "CPU ms a ticket of word n-grams": spread(costs[REFERENCE]),
        "characters a ticket": float(np.mean([len(text) for text in test.texts])),
        "load": load(),
    }
    wanted = f">= {WANTED}, with two cores to itself"
    reference = max(rates[REFERENCE])
    ratio = fastest / reference
    return Result("encoder-speed", fastest, "tickets/s", reference, ratio, wanted, details)


async def _measured(
    triton: Triton, label_set: LabelSet, texts: Sequence[str], pairs: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """By kind, for each pair of runs: tickets a second, and milliseconds of CPU a ticket."""
    client = TritonClient(triton.url)
    rates: dict[str, list[float]] = {ENCODER: [], REFERENCE: []}
    costs: dict[str, list[float]] = {ENCODER: [], REFERENCE: []}
    workers = {kind: Worker(client, kind, label_set.labels, deadline_s=60) for kind in rates}
    for worker in workers.values():
        await worker.start()
        await worker.answer(TextTensor([text.encode() for text in texts[:CALL]]))
    for _ in range(pairs):
        for kind, worker in workers.items():
            began, cpu = time.perf_counter(), tree_cpu_s(triton.pid)
            slots = asyncio.Semaphore(CALLS)
            await asyncio.gather(*(_call(worker, part, slots) for part in _parts(texts)))
            rates[kind].append(len(texts) / (time.perf_counter() - began))
            costs[kind].append((tree_cpu_s(triton.pid) - cpu) / len(texts) * 1000)
    for worker in workers.values():
        await worker.close()
    await client.close()
    return rates, costs


async def _call(worker: Worker, tensor: TextTensor, slots: asyncio.Semaphore) -> None:
    async with slots:
        await worker.answer(tensor)


def _parts(texts: Sequence[str]) -> Iterator[TextTensor]:
    yield from TextTensor([text.encode() for text in texts]).parts(CALL)
