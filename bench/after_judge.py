"""Whose label stands after the judge: what each rule is worth on real tasks, and what is proven.

Models learn from four fifths of the training data, settings are chosen and proven on the last
fifth, and figures are of the test tickets; five splits. All in this process, without a stream.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.asked_in_process import Material
from bench.result import FOLDER, Result
from streamer.commands.logged import temperatures
from streamer.config import load as load_settings
from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.calibrated import judge_all
from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.temperature import tempered
from streamer.decide.votes import VoteRule
from streamer.learn.calibrate.after_judge import CHAIN, proven_of
from streamer.learn.calibrate.arbitrated import Arbitrated, fold_of, standing
from streamer.learn.calibrate.calibrate import calibrate
from streamer.learn.calibrate.targets import JudgeShareTarget, Margin
from streamer.learn.data.dataset import Dataset
from streamer.learn.evaluation.plots import Line, Plot, lines
from streamer.learn.judge.judge_process import JudgeProcess
from streamer.learn.measures.non_inferiority import PairedCounts
from streamer.learn.measures.served import Served
from streamer.learn.measures.threshold_families import Sweep
from streamer.records.label import JUDGE_STANDS, After

TASKS = ("intent", "sentiment")
SPLITS = (7, 8, 9, 1, 2)
MARGIN = Margin(0.003, 0.95)
WORKERS_TIME = 0.004
"""Of a judge's answer, for the workers together: they answer at once."""

KINDS: Mapping[str, Sequence[After]] = {
    "judge": (JUDGE_STANDS,),
    "v3": tuple(After("v3", a / 10) for a in range(10)),
    "diff": tuple(After("diff", a / 10) for a in range(-6, 5)),
    "opt": tuple(After("opt", a / 10) for a in range(-6, 5)),
    "pool": tuple(After("pool", a / 10) for a in range(8)),
    "linear pool": tuple(After("pool_linear", a / 10) for a in range(8)),
}

DRAWN: Mapping[str, After] = {
    "judge": JUDGE_STANDS,
    "diff 0": After("diff", 0.0),
    "opt 0": After("opt", 0.0),
    "pool .3": After("pool", 0.3),
    "pool .5": After("pool", 0.5),
    "linear pool .4": After("pool_linear", 0.4),
}

RULES: Mapping[str, DeferralRule] = {
    "unanimity": VoteRule("unanimity", 3),
    "chow": Chow(0.2, 3),
    "all": judge_all(3),
}

Right = NDArray[np.bool_]


def run(options: argparse.Namespace) -> list[Result]:
    """Proof and gain of the chosen rule, then each kind of rule by the paper's two figures."""
    settings = load_settings(Path("streamer.yaml"))
    process = JudgeProcess(settings.path(settings.judge.python))
    found = []
    for task in TASKS:
        material = Material.read(options.data, task, process)
        found += results(task, [Asked.of(*material.asked(seed)) for seed in SPLITS])
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """Held-back and test tickets, workers tempered by the former; and the judge's temperature."""

    learn: Dataset
    test: Dataset
    judge: float

    @classmethod
    def of(cls, learn: Dataset, test: Dataset) -> "Asked":
        made = calibrate(learn, JudgeShareTarget(0.15), made_at="")
        heat = temperatures(made)
        learn, test = (
            replace(
                one,
                worker_predictions=tuple(
                    tempered(predictions, heat[name])
                    for name, predictions in zip(one.workers, one.worker_predictions, strict=True)
                ),
            )
            for one in (learn, test)
        )
        return cls(learn, test, made.judge.temperature)


def results(task: str, splits: Sequence[Asked]) -> Iterator[Result]:
    """Of one task's splits."""
    for name, rule in RULES.items():
        yield _proof(f"after-judge-{task}-{name}", splits, rule)
    for kind in KINDS:
        yield _figures(f"after-judge-{task}-by-{kind.replace(' ', '-')}", splits, KINDS[kind])
    drawn = FOLDER / "after_judge" / f"{task}.png"
    drawn.parent.mkdir(parents=True, exist_ok=True)
    drawn.write_bytes(_plot(task, splits).png())


def _proof(name: str, splits: Sequence[Asked], rule: DeferralRule) -> Result:
    gains, told = [], []
    for each in splits:
        right, alone = standing(each.learn, rule, CHAIN, each.judge)
        folds = np.array([fold_of(one) for one in each.learn.ids])
        proven = proven_of(Arbitrated(right, alone, folds), CHAIN, MARGIN)
        (mine,), its = standing(each.test, rule, (proven.rule,), each.judge)
        gain = _paired(mine, its)
        beside = _paired(mine, each.test.judge.label_ids == each.test.gold)
        gains.append(gain.lead)
        told.append(
            {
                "judge rate": float(Served.of(each.test, rule).decide.mean()),
                "rule": f"{proven.rule.kind} {proven.rule.alpha:g}",
                "proven within the margin": proven.holds,
                "held-back": [proven.gained, proven.lost, proven.bound],
                "over the judge's label": _told(gain),
                "over the judge asked for all": _told(beside),
            }
        )
    aim = f"at most {MARGIN.share} below the judge's own label"
    return Result(name, float(np.mean(gains)), "gain", 0.0, None, aim, {"splits": told})


def _told(gain: PairedCounts) -> list[float]:
    return [gain.gained, gain.lost, gain.lead, gain.interval.low, gain.interval.high]


def _paired(one: Right, other: Right) -> PairedCounts:
    return PairedCounts(len(one), int((one & ~other).sum()), int((other & ~one).sum()))


@dataclass(frozen=True, slots=True)
class Curves:
    """Of N tickets: how sure the workers are of the label that they would give [N], whether it is
    right [N], and whether the label after the judge is, by A rules [A, N].
    """

    sure: NDArray[np.float64]
    accepted: Right
    deferred: Right

    @classmethod
    def of(cls, cases: Dataset, after: Sequence[After], judge: float) -> "Curves":
        rule = Chow(1.0, 3)
        sweep, served = (
            Sweep.of(rule.decide(cases.worker_predictions)),
            Served.deferred(cases, rule),
        )
        labels = [
            served.arbitrated(cases.judge, arbitration_rule(one.kind, one.alpha), judge).label_ids
            for one in after
        ]
        return cls(sweep.confidence, sweep.label_ids == cases.gold, np.stack(labels) == cases.gold)

    def right(self, threshold: float) -> Right:
        """[A, N], where tickets go to the judge that are less sure than the threshold."""
        return np.where(self.sure >= threshold, self.accepted, self.deferred)

    def judge_rate(self, threshold: float) -> float:
        return float((self.sure < threshold).mean())


def _figures(name: str, splits: Sequence[Asked], after: Sequence[After]) -> Result:
    """Both chosen on the held-back tickets: the fewest judge calls at no less than the judge's
    accuracy, and the best accuracy at no more than its time.
    """
    cheapest, best = [], []
    for each in splits:
        learn, test = (Curves.of(one, after, each.judge) for one in (each.learn, each.test))
        judge = [one.judge.label_ids == one.gold for one in (each.learn, each.test)]
        thresholds = np.unique(np.quantile(learn.sure, np.linspace(0, 1, 200)))
        quality = np.array([learn.right(at).mean(axis=1) for at in thresholds])
        time = np.array([learn.judge_rate(at) for at in thresholds]) + WORKERS_TIME
        good = (quality >= judge[0].mean()).any(axis=1)
        of_test = partial(_of_test, test, judge[1], thresholds, quality)
        cheapest.append(of_test(int(good.argmax()) if good.any() else -1))
        allowed = np.where((time <= 1)[:, None], quality, 0)
        best.append(of_test(int(allowed.max(axis=1).argmax())))
    gains = [one["gain"] for one in best]
    details = {"fewest calls at the judge's accuracy": cheapest, "best accuracy in its time": best}
    return Result(name, float(np.mean(gains)), "best gain over the judge", 0.0, None, "", details)


def _of_test(
    test: Curves, judge: Right, thresholds: Sequence[float], quality: NDArray[np.float64], at: int
) -> dict[str, float]:
    right = test.right(thresholds[at])[int(quality[at].argmax())]
    gain = _paired(right, judge)
    rate = test.judge_rate(thresholds[at])
    low, high = gain.interval.low, gain.interval.high
    return {"time": rate + WORKERS_TIME, "gain": gain.lead, "low": low, "high": high}


def _plot(task: str, splits: Sequence[Asked]) -> Plot:
    """Accuracy by judge rate, mean of the splits; the workers' mean decides who is asked."""
    curves = [Curves.of(each.test, tuple(DRAWN.values()), each.judge) for each in splits]
    rates = np.linspace(0, 1, 101)
    quality = np.mean(
        [[one.right(_threshold(one, rate)).mean(axis=1) for rate in rates] for one in curves],
        axis=0,
    )
    shown = [
        Line(name, tuple(rates), tuple(quality[:, row].tolist())) for row, name in enumerate(DRAWN)
    ]
    alone = float(np.mean([one.test.judge.label_ids == one.test.gold for one in splits]))
    draw = lines(shown, "judge rate", "accuracy", level=("judge alone", alone))
    return Plot(f"after-judge-{task}", task, "Accuracy by judge rate, by the rule after it.", draw)


def _threshold(curves: Curves, rate: float) -> float:
    """At which about this share of the tickets goes to the judge."""
    return float(np.quantile(curves.sure, rate)) if rate < 1 else np.inf
