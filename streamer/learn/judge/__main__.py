"""Does what the order on stdin asks for; one JSON object per line on stdout tells how it goes.

{"event": "progress", "task", "done", "total"}: texts embedded, or batches learnt, so far
{"event": "trained", "task", "seconds", "manifest"}: the judge of a task is written
{"event": "embedded", "file", "encoder"}: where the embeddings lie, and the encoder's digest

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
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.engine.settings import precision
from streamer.learn.artifacts.manifest import Manifest
from streamer.learn.data.examples import Examples, read_examples
from streamer.learn.judge.embeddings import Embeddings
from streamer.learn.judge.order import (
    EmbeddingOrder,
    JudgeJob,
    Teaching,
    TrainingOrder,
    order_from_json,
)
from streamer.learn.judge.teaching.base import Base
from streamer.learn.judge.teaching.training import JudgeTeacher
from streamer.learn.judge.teaching.training_loop import TrainingLoop
from streamer.learn.judge.training import JudgeTrainer
from streamer.records.labelset import LabelSet

_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # A thread that waits for the others sleeps, and leaves its core to whoever else needs it.
    "OMP_WAIT_POLICY": "PASSIVE",
}


def main() -> int:
    """Do all of it; returns the exit code."""
    os.environ.update(_ENVIRONMENT)
    try:
        order = order_from_json(sys.stdin.buffer.read())
        if isinstance(order, EmbeddingOrder):
            _embeddings(order)
        else:
            _train(order)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _embeddings(order: EmbeddingOrder) -> None:
    encoder = Encoder.packaged()
    kept = Embeddings(encoder, Path(order.cache))
    kept.of(order.texts, lambda done, total: _progress("", done, total))
    _tell(event="embedded", file=str(kept.path(order.texts)), encoder=encoder.digest)


def _train(order: TrainingOrder) -> None:
    if order.teaching is None:
        _heads(order)
    else:
        _taught(order, order.teaching)


def _heads(order: TrainingOrder) -> None:
    trainer = JudgeTrainer(Encoder.packaged(), order.models_folder, order.cache_folder)
    for job in order.jobs:
        began = time.monotonic()
        manifest = trainer.train(
            job.task, _examples(job), LabelSet(job.labels), seed=order.seed, progress=_progress
        )
        _trained(job.task, began, manifest)


def _taught(order: TrainingOrder, teaching: Teaching) -> None:
    began = time.monotonic()
    subjects = [(job.task, LabelSet(job.labels), _examples(job)) for job in order.jobs]

    def progress(done: int, total: int) -> None:
        for job in order.jobs:
            _progress(job.task, done, total)

    teacher = JudgeTeacher(
        base=Base.at(Path(teaching.base), teaching.layers),
        folder=order.models_folder,
        kept=order.cache_folder,
        loop=TrainingLoop(teaching.epochs, half=precision() == "bfloat16"),
        max_ticket_tokens=order.max_ticket_tokens,
    )
    manifests = teacher.train(subjects, seed=order.seed, progress=progress)
    for task, manifest in manifests.items():
        _trained(task, began, manifest)


def _examples(job: JudgeJob) -> Examples:
    return read_examples(
        Path(job.examples), text=job.text, label=job.label, held_back=job.held_back
    )


def _trained(task: str, began: float, manifest: Manifest) -> None:
    seconds = round(time.monotonic() - began, 1)
    _tell(event="trained", task=task, seconds=seconds, manifest=asdict(manifest))


def _progress(task: str, done: int, total: int) -> None:
    _tell(event="progress", task=task, done=done, total=total)


def _tell(**event: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(event) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
