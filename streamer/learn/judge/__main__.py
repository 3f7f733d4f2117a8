"""Trains what the order on stdin asks for; one JSON object per line on stdout tells how it goes.

{"event": "progress", "task", "done", "total"}: texts embedded so far
{"event": "trained", "task", "seconds", "manifest"}: the head of a task is written

Exits 2, with one line on stderr, when the order or its data is wrong.
"""

import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from streamer.errors import ConfigError
from streamer.judging.encoder import Encoder
from streamer.learn.examples import read_examples
from streamer.learn.judge.order import JudgeJob, TrainingOrder
from streamer.learn.judge.training import JudgeTrainer
from streamer.records.labelset import LabelSet

_NO_NETWORK = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def main() -> int:
    """Train everything; returns the exit code."""
    os.environ.update(_NO_NETWORK)
    try:
        order = TrainingOrder.from_json(sys.stdin.buffer.read())
        trainer = JudgeTrainer(Encoder.packaged(), order.models_folder, order.cache_folder)
        for job in order.jobs:
            _train(trainer, job, order.seed)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _train(trainer: JudgeTrainer, job: JudgeJob, seed: int) -> None:
    began = time.monotonic()
    examples = read_examples(
        Path(job.examples), text=job.text, label=job.label, held_back=job.held_back
    )
    manifest = trainer.train(
        job.task, examples, LabelSet(job.labels), seed=seed, progress=_progress
    )
    seconds = round(time.monotonic() - began, 1)
    _tell(event="trained", task=job.task, seconds=seconds, manifest=asdict(manifest))


def _progress(task: str, done: int, total: int) -> None:
    _tell(event="progress", task=task, done=done, total=total)


def _tell(**event: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(event) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
