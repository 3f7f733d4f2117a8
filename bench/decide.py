"""What the vote itself costs: three opinions on a batch of 256 tickets with 77 labels."""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from bench.result import Result, load, spread
from streamer.decide.opinion import Opinion, Probabilities
from streamer.decide.votes import VoteRule, decide

BATCH, LABELS, WORKERS = 256, 77, 3
_RUNS, _REPEATS = 30, 20


def run(options: argparse.Namespace) -> list[Result]:
    """CPU time per ticket of `Opinion.of` for each worker and of `decide`, for two rules."""
    random = np.random.default_rng(1)
    answers = [
        random.dirichlet(np.full(LABELS, 0.05), BATCH).astype(np.float32) for _ in range(WORKERS)
    ]
    plain = _us(VoteRule("majority", WORKERS), answers)
    sure = _us(VoteRule("majority", WORKERS, "mean", 0.8), answers)
    numpy_only = _timed(lambda: [answer.argmax(axis=1) for answer in answers])
    value, reference = statistics.median(plain), statistics.median(numpy_only)
    details = {
        "majority": spread(plain),
        "majority with confidence": spread(sure),
        "argmax of the answers": spread(numpy_only),
        "batch": BATCH,
        "labels": LABELS,
        "workers": WORKERS,
        "load": load(),
    }
    return [Result("decide", value, "us/ticket", reference, value / reference, "none", details)]


def _us(rule: VoteRule, answers: list[Probabilities]) -> list[float]:
    return _timed(lambda: decide(rule, [Opinion.of(answer) for answer in answers]))


def _timed(work: Callable[[], object]) -> list[float]:
    found: list[float] = []
    for _ in range(_RUNS):
        began = time.thread_time()
        for _ in range(_REPEATS):
            work()
        found.append((time.thread_time() - began) / _REPEATS / BATCH * 1e6)
    return found
