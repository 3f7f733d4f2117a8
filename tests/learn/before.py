"""Tickets that the version of before `formerly.SINCE` decided otherwise, and how they are served.

`python -m tests.learn.before FILE`, run on that version, wrote `log_of_before.jsonl`.
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from streamer.decide.predictions import Predictions
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.votes import VoteRule
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.records.calibration import Calibration, Data, Estimate, Model, Wish
from streamer.records.label import After, Rule
from streamer.records.labelset import LabelSet
from streamer.records.log import log_json
from tests.learn.served import AT, Serving

LABELS = ("a", "b", "c")
WORKERS = ("one", "two", "three")
NOWHERE = Estimate(None, 0.0, 1.0, 0)
COLD = Calibration(
    task="planted",
    label_set=LabelSet(LABELS).version,
    made_at=AT,
    data=Data("00", 100, 0, None, None),
    models={name: Model(None, 0.01) for name in WORKERS},
    judge=Model(None, 0.01),
    rule=Rule("majority", 2, 3),
    router=None,
    wish=Wish("judge rate", 0.1),
    guarantee=None,
    judge_rate=NOWHERE,
    fidelity=NOWHERE,
    accuracy=NOWHERE,
)

SERVINGS = {
    "deferred at the threshold": (
        Serving(VoteRule("majority", 3, "mean", 0.9)),
        [(0.05, 0.9, 0.05)] * 3,
        (0.05, 0.05, 0.9),
    ),
    "kept at the threshold": (
        Serving(VoteRule("unanimity", 3), After("diff", 0.1)),
        [(0.6, 0.3, 0.1), (0.4, 0.5, 0.1), (0.4, 0.5, 0.1)],
        (0.2, 0.2, 0.6),
    ),
    "mean against majority": (
        Serving(
            VoteRule("majority", 3), After("diff", 0.0), ServingPolicy("optimistic"), verify=1.0
        ),
        [(0.5, 0.45, 0.05), (0.02, 0.96, 0.02), (0.5, 0.45, 0.05)],
        (0.25, 0.6, 0.15),
    ),
    "cold temperature": (
        Serving(VoteRule("majority", 3), calibration=COLD),
        [(0.33, 0.34, 0.33)] * 3,
        (0.33, 0.33, 0.34),
    ),
    "a cold judge": (
        Serving(VoteRule("majority", 3, "min", 0.8), calibration=COLD),
        [(0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.05, 0.05, 0.9)],
        (0.33, 0.33, 0.34),
    ),
}


def cases(said: list[tuple[float, ...]], judged: tuple[float, ...]) -> Dataset:
    """One ticket on which the workers and the judge say that."""
    rows = [np.array([row], np.float32) for row in (*said, judged)]
    *workers, judge = (Predictions.of(row) for row in rows)
    gold = np.array([UNKNOWN])
    return Dataset("planted", LABELS, WORKERS, tuple(workers), judge, gold, ("0",))


async def lines() -> list[bytes]:
    """All logs of the servings, each with a decision id that tells which."""
    found = []
    for name, (serving, said, judged) in SERVINGS.items():
        logs = await serving.log(cases(said, judged))
        named = [replace(log, decision_id=name, calibration=_known(serving)) for log in logs]
        found += [log_json(log) for log in named]
    return found


def _known(serving: Serving) -> str | None:
    return None if serving.calibration is None else "cold"


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(b"\n".join([*asyncio.run(lines()), b""]))
