"""What the vote itself costs: three opinions on a batch of 256 tickets with 77 labels."""

import argparse
import math
import statistics
import time
from collections.abc import Callable

import numpy as np

from bench.result import Result, load, spread
from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import Predictions, Probabilities
from streamer.decide.router import Router
from streamer.decide.votes import VoteRule
from streamer.records.calibration import RouterWeights

BATCH, LABELS, WORKERS = 256, 77, 3
SIGNALS = 1 + 2 * WORKERS + math.comb(WORKERS, 2)
WEIGHTS = RouterWeights((1.0,) * WORKERS, 0.0, (-0.1,) * SIGNALS, (0.0,) * LABELS)
RULES: dict[str, DeferralRule] = {
    "majority": VoteRule("majority", WORKERS),
    "unanimity": VoteRule("unanimity", WORKERS),
    "majority, mean": VoteRule("majority", WORKERS, "mean", 0.8),
    "majority, min": VoteRule("majority", WORKERS, "min", 0.8),
    "majority, max": VoteRule("majority", WORKERS, "max", 0.8),
    "majority, ensemble": VoteRule("majority", WORKERS, "ensemble", 0.8),
    "chow": Chow(0.3, WORKERS),
    "chow, one worker": Chow(0.3, WORKERS, worker=0),
    "router": Router(WEIGHTS, 0.3),
}
_RUNS, _REPEATS = 30, 20


def run(options: argparse.Namespace) -> list[Result]:
    """CPU time per ticket of `Predictions.of` for each worker, and of the dearest rule."""
    random = np.random.default_rng(1)
    answers = [
        random.dirichlet(np.full(LABELS, 0.05), BATCH).astype(np.float32) for _ in range(WORKERS)
    ]
    found = {name: _us(rule, answers) for name, rule in RULES.items()}
    numpy_only = _timed(lambda: [answer.argmax(axis=1) for answer in answers])
    value = max(statistics.median(times) for times in found.values())
    reference = statistics.median(numpy_only)
    details = {
        **{name: spread(times) for name, times in found.items()},
        "argmax of the answers": spread(numpy_only),
        "batch": BATCH,
        "labels": LABELS,
        "workers": WORKERS,
        "load": load(),
    }
    return [Result("decide", value, "us/ticket", reference, value / reference, "<= 2", details)]


def _us(rule: DeferralRule, answers: list[Probabilities]) -> list[float]:
    return _timed(lambda: rule.decide([Predictions.of(answer) for answer in answers]))


def _timed(work: Callable[[], object]) -> list[float]:
    found: list[float] = []
    for _ in range(_RUNS):
        began = time.thread_time()
        for _ in range(_REPEATS):
            work()
        found.append((time.thread_time() - began) / _REPEATS / BATCH * 1e6)
    return found
