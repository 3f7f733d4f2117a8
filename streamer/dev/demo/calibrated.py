"""Calibrates a task on tickets that no model has learnt from, and tries it on the test tickets."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.commands.logged import temperatures
from streamer.decide.calibrated import calibrated_rule
from streamer.decide.predictions import ABSTAINED
from streamer.decide.temperature import tempered
from streamer.decide.votes import VoteRule
from streamer.learn.calibrate.calibrate import Targets, calibrate
from streamer.learn.data.alike import Alike
from streamer.learn.data.dataset import Dataset
from streamer.learn.evaluation.evaluation import evaluate
from streamer.learn.evaluation.files import write
from streamer.learn.evaluation.options import Options, Prices
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import Figures, figures
from streamer.records.calibration import Calibration
from streamer.records.times import rfc3339


@dataclass(frozen=True, slots=True)
class TriedCalibration:
    """The calibrated rule and the plain majority on the same test tickets, and the report.

    `alike` has the tickets that chose beside those.
    """

    task: str
    calibration: Calibration
    figures: Figures
    majority: Figures
    alike: Alike
    page: Path


def calibrated(learn: Dataset, targets: Targets) -> Calibration:
    """The setting that `streamer calibrate` would write for this wish, made now."""
    return calibrate(learn, targets, made_at=rfc3339(int(time.time() * 1000)))


def accepted_by(calibration: Calibration, test: Dataset) -> Labels:
    """[N]: the labels that the calibrated rule accepts of other tickets, -1 for the judge."""
    temperature_of = temperatures(calibration)
    pairs = zip(test.workers, test.worker_predictions, strict=True)
    warm = [tempered(predictions, temperature_of[name]) for name, predictions in pairs]
    return calibrated_rule(calibration).decide(warm).label_ids


def tried(
    learn: Dataset,
    test: Dataset,
    targets: Targets,
    costs: Mapping[str, float],
    judge: float,
    folder: Path,
) -> TriedCalibration:
    """Calibrate on `learn`, report on `test`; `costs` are seconds per answer, by worker."""
    calibration = calibrated(learn, targets)
    test = test[np.flatnonzero(test.judge.label_ids != ABSTAINED)]
    plain = VoteRule("majority", len(test.workers)).decide(test.worker_predictions).label_ids
    accepted, judged = accepted_by(calibration, test), test.judge.label_ids
    options = Options(
        costs=Prices(costs, judge),
        rule=calibrated_rule(calibration),
        temperatures=temperatures(calibration),
        router=calibration.router,
    )
    page = write(evaluate(test, options), folder)
    ours, majority = (figures(label_ids, judged, test.gold) for label_ids in (accepted, plain))
    return TriedCalibration(test.task, calibration, ours, majority, Alike.of(learn, test), page)
