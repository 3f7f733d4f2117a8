"""The first paper's experiment on a log of fourteen language models, by their own seconds.

Every pair and triple of them votes beside two judges, those that are most often right. Nothing is
asked again: the rules are the service's own, and a ticket takes what its answers took.
"""

import argparse
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path

import numpy as np

from bench.answers_of_llms import FILE
from bench.llm_log import LlmLog, Seconds
from bench.result import FOLDER, Result, spread
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.third_worker import asked_first, decide_as_asked, third_asked
from streamer.decide.votes import Kind, VoteRule
from streamer.learn.measures.shares import Committee, Figures, figures, predicted_speedup, share

JUDGES = 2
FAMILIES: tuple[tuple[str, int, Kind], ...] = (
    ("pairs", 2, "majority"),
    ("majority-of-three", 3, "majority"),
    ("unanimity-of-three", 3, "unanimity"),
)
SHOWN, NAMED = 10, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Some workers beside a judge: what they are worth, and the judge's time for all over theirs.

    `at_once`: workers have a machine each, and a ticket waits for the slowest that it needs.
    `in_turn`: all share one, so that their seconds add up, as `predicted` from means has it.
    """

    workers: tuple[str, ...]
    figures: Figures
    at_once: float
    in_turn: float
    predicted: float

    @property
    def row(self) -> dict[str, float]:
        """What is printed and kept of it."""
        found = self.figures
        return {
            "A1": found.coverage.value,
            "A2": found.fidelity.value,
            "A3": found.agreement.value,
            "accuracy": found.accuracy.value,
            "judge calls": found.coverage.of - found.coverage.hits,
            "speed-up, workers at once": self.at_once,
            "speed-up, workers in turn": self.in_turn,
            "1 / (n rho + 1 - a)": self.predicted,
        }

    def __str__(self) -> str:
        found = self.figures
        return (
            f"A3 {found.agreement.value:.3f}, right {found.accuracy.value:.3f}, "
            f"{self.at_once:.2f}x, in turn {self.in_turn:.2f}x"
        )


def run(options: argparse.Namespace) -> list[Result]:
    """By judge, all pairs and both votes of all triples; every row goes to a file of its own."""
    log = LlmLog.read(options.data / FILE)
    return [
        _result(log, judge, name, family(log, judge, size, kind))
        for judge in log.by_accuracy[:JUDGES]
        for name, size, kind in FAMILIES
    ]


def family(log: LlmLog, judge: str, size: int, kind: Kind) -> list[Timed]:
    """All sets of so many other models under that vote, the quickest set first.

    Within a set the quicker worker comes first: the third is asked only where it can still decide.
    """
    others = sorted(log.answers.keys() - {judge}, key=lambda name: log.seconds[name].mean())
    sets = [timed(log, judge, Committee(some, kind)) for some in combinations(others, size)]
    return sorted(sets, key=lambda each: -each.at_once)


def timed(log: LlmLog, judge: str, some: Committee) -> Timed:
    """What the service would have decided, asked and waited for."""
    rule = VoteRule(some.kind, len(some.workers))
    predictions = [Predictions(log.answers[name], None) for name in some.workers]
    accepted = decide_as_asked(rule, predictions).label_ids
    first, third = asked_first(rule), third_asked(rule, predictions)
    own = [log.seconds[name] for name in some.workers]
    later = [seconds * third for seconds in own[first:]]
    judged = log.seconds[judge] * (accepted == ABSTAINED)
    found = figures(accepted, log.answers[judge], log.gold)
    means = {name: float(seconds.mean()) for name, seconds in log.seconds.items()}
    cost = some.cost(log.answers, means)
    return Timed(
        workers=some.workers,
        figures=found,
        at_once=_speedup(log.seconds[judge], [np.max(own[:first], axis=0), *later, judged]),
        in_turn=_speedup(log.seconds[judge], [*own[:first], *later, judged]),
        predicted=predicted_speedup(cost, means[judge], found.coverage.value),
    )


def losers(sets: Sequence[Timed], speedup: Callable[[Timed], float]) -> str:
    """Which sets take longer than the judge alone: by the workers all of whose sets do."""
    lost = [each for each in sets if speedup(each) < 1]
    won = set(chain.from_iterable(each.workers for each in sets if speedup(each) >= 1))
    slow = dict.fromkeys(name for each in lost for name in each.workers if name not in won)
    others = [_name(each) for each in lost if not slow.keys() & set(each.workers)]
    told = f"{len(lost)} of {len(sets)}"
    if not won:
        return told
    parts = [f"all with {', '.join(slow)}"] if slow else []
    parts += others if len(others) <= NAMED else [f"{len(others)} others"]
    return f"{told}: {'; '.join(parts)}" if parts else told


def _speedup(alone: Seconds, parts: Sequence[Seconds]) -> float:
    return float(alone.mean() / np.sum(parts, axis=0).mean())


def _result(log: LlmLog, judge: str, name: str, sets: Sequence[Timed]) -> Result:
    _keep(FOLDER / "language_log" / f"{judge}-{name}.csv", sets)
    right = share(log.answers[judge] == log.gold)
    as_right = [each for each in sets if each.figures.accuracy.hits >= right.hits]
    details: dict[str, object] = {
        "judge alone": f"{right} in {log.seconds[judge].mean():.2f} s",
        **{key: spread([each.row[key] for each in sets]) for key in sets[0].row},
        "prediction is off by at most": max(abs(one.predicted / one.in_turn - 1) for one in sets),
        "slower than the judge, workers at once": losers(sets, lambda each: each.at_once),
        "slower than the judge, workers in turn": losers(sets, lambda each: each.in_turn),
        "as often right as the judge": len(as_right),
        **{_name(one): str(one) for one in (sets if name == "pairs" else as_right[:SHOWN])},
    }
    best = max((each.at_once for each in as_right), default=0.0)
    wanted = "of those as often right as the judge, the quickest: > 1"
    return Result(f"language_log-{judge}-{name}", best, "x", 1.0, best, wanted, details)


def _name(some: Timed) -> str:
    return " + ".join(some.workers)


def _keep(file: Path, sets: Sequence[Timed]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, ["workers", *sets[0].row])
        writer.writeheader()
        writer.writerows({"workers": _name(each), **each.row} for each in sets)
