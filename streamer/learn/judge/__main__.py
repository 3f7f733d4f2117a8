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
from streamer.judging.llm.prompt import load_prompts
from streamer.learn.artifacts.manifest import Manifest
from streamer.learn.data.examples import Examples, read_examples
from streamer.learn.judge.embeddings import Embeddings
from streamer.learn.judge.order import EmbeddingOrder, JudgeJob, TrainingOrder, order_from_json
from streamer.learn.judge.small.training import SmallJudgeTrainer
from streamer.learn.judge.training import JudgeTrainer
from streamer.records.labelset import LabelSet

_NO_NETWORK = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def main() -> int:
    """Do all of it; returns the exit code."""
    os.environ.update(_NO_NETWORK)
    try:
        order = order_from_json(sys.stdin.buffer.read())
        if isinstance(order, EmbeddingOrder):
            _embeddings(order)
        else:
            (_language if order.kind == "llm" else _heads)(order)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _embeddings(order: EmbeddingOrder) -> None:
    encoder = Encoder.packaged()
    kept = Embeddings(encoder, Path(order.cache))
    kept.of(order.texts, lambda done, total: _progress("", done, total))
    _tell(event="embedded", file=str(kept.path(order.texts)), encoder=encoder.digest)


def _heads(order: TrainingOrder) -> None:
    trainer = JudgeTrainer(Encoder.packaged(), order.models_folder, order.cache_folder)
    for job in order.jobs:
        began = time.monotonic()
        manifest = trainer.train(
            job.task, _examples(job), LabelSet(job.labels), seed=order.seed, progress=_progress
        )
        _trained(job.task, began, manifest)


def _language(order: TrainingOrder) -> None:
    began = time.monotonic()
    prompts = load_prompts(
        Path(order.prompts), {job.task: LabelSet(job.labels) for job in order.jobs}
    )
    subjects = [(prompts[job.task][0], _examples(job)) for job in order.jobs]

    def progress(done: int, total: int) -> None:
        for job in order.jobs:
            _progress(job.task, done, total)

    trainer = SmallJudgeTrainer(order.models_folder, order.max_ticket_tokens)
    manifests = trainer.train(subjects, seed=order.seed, progress=progress)
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
