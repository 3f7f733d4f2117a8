"""What a taught language model is worth on real tasks, and what teaching it costs.

SmolLM2-135M learns both tasks from four fifths of the training data. The temperature is fitted to
the last fifth; all figures are of the test tickets, by the judge of the service on vLLM.
"""

import argparse
import resource
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
from streamer.dev.base_model import base_model
from streamer.dev.demo.data_sets import write_config
from streamer.learn.calibrate.temperature import Reliability, fit_temperature
from streamer.learn.judge.order import Teaching
from streamer.learn.measures.shares import share
from streamer.learn.train import train

CONFIG = Path("streamer.yaml")
TASKS = ("queue", "sentiment")

Arrays = Mapping[str, np.ndarray]


def run(options: argparse.Namespace) -> list[Result]:
    """Teach and ask."""
    settings = _settings(options.data)
    base = base_model(settings.path(settings.judge.python))
    began, spent = time.monotonic(), _spent()
    train.run(settings, what="judge", kind="llm", teaching=Teaching(str(base)))
    costs = {"teaching, s": time.monotonic() - began, "teaching, CPU s": _spent() - spent}
    return [result for task in TASKS for result in _results(task, _asked(settings, task), costs)]


def _spent() -> float:
    """CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _settings(data: Path) -> Settings:
    path = write_config(data, load_settings(CONFIG), TASKS)
    body = yaml.safe_load(path.read_text())
    body["judge"] |= {"kind": "llm", "model": "taught-judge", "max_ticket_tokens": 256}
    path.write_text(yaml.safe_dump(body, sort_keys=False))
    return load_settings(path)


def _asked(settings: Settings, task: str) -> Arrays:
    folder = settings.path(settings.state)
    config, out = folder / f"{'-'.join(TASKS)}.yaml", folder / f"{task}.npz"
    python = str(settings.path(settings.judge.python))
    subprocess.run([python, "-m", "bench.taught_judge_asked", config, task, out], check=True)
    return np.load(out, allow_pickle=False)


def _results(task: str, asked: Arrays, costs: Mapping[str, float]) -> Iterator[Result]:
    gold, scores = asked["gold"], asked["test"]
    fitted = fit_temperature(Predictions.of(asked["held"]), asked["held_gold"])
    after = tempered(Predictions.of(scores), fitted.temperature).probabilities
    assert after is not None
    right = scores.argmax(axis=1) == gold
    yield Result(
        f"taught_judge_{task}",
        float(right.mean()),
        "accuracy",
        details={
            "interval": str(share(right)),
            "tickets": len(gold),
            "coverage of the labels": _spread(asked["coverage"]),
            "ECE before": Reliability.of(scores, gold).ece,
            "temperature": fitted.temperature,
            "ECE after": Reliability.of(after, gold).ece,
            **costs,
            "load": load(),
        },
    )


def _spread(values: np.ndarray) -> dict[str, float]:
    low, middle = np.quantile(values, (0.01, 0.5))
    return {"1 %": float(low), "median": float(middle), "least": float(values.min())}
