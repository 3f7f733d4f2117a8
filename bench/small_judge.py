"""What the small judge is worth on real tasks: accuracy, coverage, calibration, permuted codes.

It learns from four fifths of the training data. The temperature is fitted to the last fifth; all
figures are of the test tickets, by the judge of the service on vLLM.
"""

import argparse
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import yaml

from bench.result import Result, load
from streamer.config import Settings
from streamer.config import load as load_settings
from streamer.decide.predictions import Predictions
from streamer.decide.temperature import tempered
from streamer.dev.demo.data_sets import write_config
from streamer.learn.calibrate.temperature import Reliability, fit_temperature
from streamer.learn.measures.shares import share
from streamer.learn.train import train

CONFIG = Path("streamer.yaml")
PROMPTS = Path("bench/prompts")
TASKS = ("queue", "sentiment")
CHANCES = 5

Arrays = Mapping[str, np.ndarray]


def run(options: argparse.Namespace) -> list[Result]:
    """Train, ask, and compare with the plain baseline of the data's own notes."""
    settings = _settings(options.data)
    began = time.monotonic()
    train.run(settings, what="judge", kind="llm")
    seconds = time.monotonic() - began
    found = []
    for task in TASKS:
        asked = _asked(settings, task)
        found += list(_results(task, asked, seconds))
    return found


def _settings(data: Path) -> Settings:
    path = write_config(data, load_settings(CONFIG), TASKS)
    body = yaml.safe_load(path.read_text())
    body["judge"] |= {
        "kind": "llm",
        "model": "small-judge",
        "prompts": str(PROMPTS.resolve()),
        "max_ticket_tokens": 256,
    }
    path.write_text(yaml.safe_dump(body, sort_keys=False))
    return load_settings(path)


def _asked(settings: Settings, task: str) -> Arrays:
    folder = settings.path(settings.state)
    config, out = folder / f"{'-'.join(TASKS)}.yaml", folder / f"{task}.npz"
    python = str(settings.path(settings.judge.python))
    subprocess.run(
        [python, "-m", "bench.small_judge_asked", str(config), task, str(out), str(CHANCES)],
        check=True,
    )
    return np.load(out, allow_pickle=False)


def _results(task: str, asked: Arrays, seconds: float) -> Iterator[Result]:
    gold, plain = asked["gold"], asked["plain"]
    fitted = fit_temperature(Predictions.of(asked["held"]), asked["held_gold"])
    after = tempered(Predictions.of(plain), fitted.temperature).probabilities
    assert after is not None
    right = plain.argmax(axis=1) == gold
    permuted = asked["permuted"]
    yield Result(
        f"small_judge_{task}",
        float(right.mean()),
        "accuracy",
        details={
            "interval": str(share(right)),
            "tickets": len(gold),
            "coverage of the labels": _spread(asked["coverage"]),
            "ECE before": Reliability.of(plain, gold).ece,
            "temperature": fitted.temperature,
            "ECE after": Reliability.of(after, gold).ece,
            "contextual: accuracy": float((asked["contextual"].argmax(axis=1) == gold).mean()),
            "contextual: ECE": Reliability.of(asked["contextual"], gold).ece,
            "codes permuted: accuracy": [
                float((p.argmax(axis=1) == gold).mean()) for p in permuted
            ],
            "codes permuted: same label": [
                float((p.argmax(axis=1) == plain.argmax(axis=1)).mean()) for p in permuted
            ],
            "training, s": seconds,
            "load": load(),
        },
    )


def _spread(values: np.ndarray) -> dict[str, float]:
    low, middle = np.quantile(values, (0.01, 0.5))
    return {"1 %": float(low), "median": float(middle), "least": float(values.min())}
