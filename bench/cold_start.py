"""A new task: how quickly the judge's share falls with the tickets that the judge has answered.

The labels of bank intents, by the judge, one ticket after the other: after so many, workers are
trained and the rule with the fewest judge calls is chosen that keeps the wanted agreement on the
part that chooses. Once for all tickets alike, and once with segments, experts and a way for each.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.mixture import SEED, WORKERS, Labels, Mixture, Stream, lead, mixture
from bench.result import Result, load
from streamer.backends.gate import Gate
from streamer.config import load as load_settings
from streamer.decide.predictions import ABSTAINED
from streamer.errors import ConfigError
from streamer.learn.align.training import align_worker
from streamer.learn.data.dataset import Dataset
from streamer.learn.judge.judge_process import JudgeProcess
from streamer.learn.segments.assigning import ChosenRoutes, assign
from streamer.learn.segments.classifier import learn_classifier
from streamer.learn.segments.finding import find

TASK = "intent"
COUNTS = (0, 100, 300, 1000, 5000)
JUDGE_SHARE = 0.35
CHOOSING = 0.25
WANTED = 0.95
PRICE = 0.001
BUDGETS = (0.01, 0.02, 0.05, *np.arange(0.1, 1.01, 0.05).tolist())
ALL = 10_000


@dataclass(frozen=True, slots=True)
class Served:
    """[N] of test tickets: whether the judge is asked, and whether the label is the judge's."""

    asked: NDArray[np.bool_]
    agreed: NDArray[np.bool_]


def run(options: argparse.Namespace) -> list[Result]:
    """The judge's share of the test tickets after each count of answers, without and with."""
    settings = load_settings(Path("streamer.yaml"))
    process = JudgeProcess(settings.path(settings.judge.python))
    whole = mixture(options.data, [TASK], ALL, JUDGE_SHARE, process)
    order = np.random.default_rng(SEED).permutation(len(whole.log))
    return [_after(whole, whole.log[order[:count]]) for count in COUNTS]


def _after(whole: Mixture, answered: Stream) -> Result:
    without, _ = _served(whole, answered, None)
    gate = _gate(whole, answered)
    with_it, ways = (without, 0) if gate is None else _served(whole, answered, gate)
    fewer = with_it.asked.astype(np.float64) - without.asked
    return Result(
        f"cold-start-{len(answered)}",
        float(with_it.asked.mean()),
        "of the tickets go to the judge, with segments",
        float(without.asked.mean()),
        None,
        f"falling, at an agreement of {WANTED:g}",
        {
            "with segments less without": lead(fewer),
            "agreement with the judge": [float(some.agreed.mean()) for some in (without, with_it)],
            "segments": 0 if gate is None else gate.model.size,
            "ways of their own": ways,
            "test tickets": len(whole.test),
            "load": load(),
        },
    )


def _gate(whole: Mixture, answered: Stream) -> Gate | None:
    """None where the tickets are too few to find segments or to tell them apart."""
    try:
        found = find(answered.material, answered.embeddings, whole.encoder, seed=SEED)
    except ConfigError:
        return None
    count = len(found.segmentation.segments)
    classifier = learn_classifier(answered.texts, found.segment_ids, count, SEED)
    return None if classifier is None else classifier.gate


def _served(whole: Mixture, answered: Stream, gate: Gate | None) -> tuple[Served, int]:
    cut = int(len(answered) * CHOOSING)
    rows = np.arange(len(answered))
    design, train = answered[rows[:cut]], answered[rows[cut:]]
    asked_for_all = Served(*np.ones((2, len(whole.test)), np.bool_))
    try:
        models = {
            name: align_worker(kind, train.judged, whole.labels, loss="hard", gate=gate, seed=SEED)
            for name, kind in WORKERS.items()
        }
    except ConfigError:
        return asked_for_all, 0
    chosen, test = (
        some.cases(
            whole.labels,
            {name: made.model.probabilities(some.texts) for name, made in models.items()},
        )
        for some in (design, whole.test)
    )
    made = _cheapest(chosen, _places(gate, design), design)
    label_ids = made.accepted(test, _places(gate, whole.test))
    return Served(label_ids == ABSTAINED, whole.test.agreed(label_ids)), len(made.routes)


def _places(gate: Gate | None, stream: Stream) -> Labels:
    return np.full(len(stream), -1) if gate is None else gate.names(stream.texts).segment_ids


def _cheapest(cases: Dataset, places: Labels, design: Stream) -> ChosenRoutes:
    """The ways at the least budget that agree as often as wanted, on the tickets that choose."""
    return next(
        made
        for made in _by_budget(cases, places)
        if design.agreed(made.accepted(cases, places)).mean() >= WANTED
    )


def _by_budget(cases: Dataset, places: Labels) -> Iterator[ChosenRoutes]:
    """The last lets the judge decide on all."""
    for budget in BUDGETS:
        prices = dict.fromkeys(WORKERS, PRICE)
        yield assign(cases, places, int(places.max(initial=-1)) + 1, prices, budget)
