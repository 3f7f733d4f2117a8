"""What calibrated rules reach on real tasks, on test tickets that nothing was chosen by.

Each task's models learn from four fifths of its training data. All workers and the judge are asked
about the last fifth, which settings are chosen on, and about the test tickets, by the stream's own
audits. A log of labels alone has no split: it is cross-fitted.
"""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.answers_of_llms import llm_answers
from bench.result import FOLDER, Result, load
from streamer.config import load as load_settings
from streamer.dev.bring_up import bring_up
from streamer.dev.demo.audited import Audited, audited
from streamer.dev.demo.calibrated import accepted_by, calibrated
from streamer.dev.demo.data_sets import write_config
from streamer.dev.demo.scenario import held_back_tickets, test_tickets
from streamer.dev.stack import Stack
from streamer.learn.calibrate.calibrate import Targets
from streamer.learn.calibrate.targets import Fidelity, JudgeShareTarget
from streamer.learn.data.alike import Alike
from streamer.learn.data.dataset import Dataset
from streamer.learn.evaluation.evaluation import evaluate
from streamer.learn.evaluation.files import write
from streamer.learn.evaluation.options import Options, Prices
from streamer.learn.measures.shares import committees, figures
from streamer.services.runtime.kafka import kafka_clients

CONFIG = Path("streamer.yaml")
SETS = (("intent", "sentiment"), ("reason",))
MARGIN = 0.005
RESAMPLES = 4000
SEED = 20260729

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Setting:
    """A rule on the test tickets: the labels [N] that it accepts, -1 where it asks the judge."""

    name: str
    accepted: Labels

    def right(self, cases: Dataset) -> NDArray[np.float64]:
        """[N]: whether the published label is the true one."""
        published = np.where(self.accepted < 0, cases.judge.label_ids, self.accepted)
        return (published == cases.gold).astype(np.float64)

    @property
    def judge_rate(self) -> float:
        return float((self.accepted < 0).mean())


def run(options: argparse.Namespace) -> list[Result]:
    """Plain rules, and what calibration makes of the same workers with a third fewer calls."""
    found = []
    for tasks in SETS:
        config = write_config(options.data, load_settings(CONFIG), tasks)
        with Stack(config, {}, print) as stack:
            bring_up(stack, print, own_workers=True)
            learn, test = asyncio.run(_asked(stack, config))
        for task in tasks:
            found += list(_results(learn.dataset(task), test.dataset(task)))
    return [*found, *llm_answers(options.data)]


async def _asked(stack: Stack, config: Path) -> tuple[Audited, Audited]:
    settings = stack.settings
    clients = kafka_clients(settings.kafka)
    producer = clients.producer(limit=settings.kafka.max_record_bytes, compression=None)
    async with clients.started(producer):
        learn = await audited(settings, config, producer, held_back_tickets(settings))
        return learn, await audited(settings, config, producer, test_tickets(settings))


def _results(learn: Dataset, test: Dataset) -> Iterator[Result]:
    judge = Setting("judge", np.full(len(test), -1))
    plain = [*_plain(test)]
    for one in plain:
        share = Setting(one.name, dict(_named(_plain(learn)))[one.name]).judge_rate * 2 / 3
        yield _result(_calibrated(learn, test, JudgeShareTarget(share)), one, test)
    yield _result(_calibrated(learn, test, JudgeShareTarget(0.15)), judge, test)
    for least in (0.97, 0.95):
        yield _promise(learn, test, least)
    yield _alike(learn, test)
    prices = Prices(dict.fromkeys(test.workers, 0.001), 1.0)
    write(evaluate(test, Options(costs=prices)), FOLDER / "quality" / test.task)


def _named(settings: Sequence[Setting]) -> Iterator[tuple[str, Labels]]:
    return ((one.name, one.accepted) for one in settings)


def _plain(cases: Dataset) -> list[Setting]:
    answers = {
        name: predictions.label_ids
        for name, predictions in zip(cases.workers, cases.worker_predictions, strict=True)
    }
    return [Setting(str(some), some.accepted(answers)) for some in committees(cases.workers)]


def _calibrated(learn: Dataset, test: Dataset, wish: Targets) -> Setting:
    made = calibrated(learn, wish)
    return Setting(f"{made.rule.kind} {made.rule.measure or ''}".strip(), accepted_by(made, test))


def _result(ours: Setting, beside: Setting, cases: Dataset) -> Result:
    """The accuracy of ours less that of the other, in points, with its paired 95 % interval."""
    mine, its = ours.right(cases), beside.right(cases)
    low, high = _interval(mine - its)
    name = beside.name.replace(" ", "").replace("+", "-")
    return Result(
        f"quality-{cases.task}-against-{name}",
        float(mine.mean()),
        "accuracy",
        float(its.mean()),
        None,
        "lower end of the difference > -0.005",
        {
            "rule": ours.name,
            "difference": float((mine - its).mean()),
            "interval": [low, high],
            "non-inferior": low > -MARGIN,
            "judge rate": ours.judge_rate,
            "judge rate beside": beside.judge_rate,
            "judge-only accuracy": float((cases.judge.label_ids == cases.gold).mean()),
            "test tickets": len(cases),
            "load": load(),
        },
    )


def _promise(learn: Dataset, test: Dataset, least: float) -> Result:
    made = calibrated(learn, Fidelity(least, 0.95))
    found = figures(accepted_by(made, test), test.judge.label_ids, test.gold)
    return Result(
        f"quality-{test.task}-fidelity-{least}",
        found.fidelity.value,
        "fidelity",
        least,
        None,
        "fidelity >= what was promised at 95 %",
        {
            "rule": made.rule.kind,
            "holds": made.guarantee.holds if made.guarantee else False,
            "fidelity": str(found.fidelity),
            "coverage": str(found.coverage),
            "accuracy": str(found.accuracy),
            "learnt from": made.data.rows,
        },
    )


def _alike(learn: Dataset, test: Dataset) -> Result:
    found = Alike.of(learn, test)
    return Result(
        f"quality-{test.task}-alike",
        found.one - found.other,
        "agreement of workers and judge on held-back tickets less that on test",
        0.0,
        None,
        "the interval holds 0",
        {
            "held-back": found.one,
            "test": found.other,
            "interval": [found.low, found.high],
            "alike": bool(found),
        },
    )


def _interval(differences: NDArray[np.float64]) -> tuple[float, float]:
    """The paired bootstrap over tickets, 95 %."""
    rng = np.random.default_rng(SEED)
    count = len(differences)
    means = [differences[rng.integers(count, size=count)].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
