"""Training all workers of all tasks into a Triton model repository, as many at once as cores."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import active_children, get_context
from pathlib import Path
from threading import current_thread, main_thread
from types import ModuleType

from threadpoolctl import threadpool_limits

from streamer.errors import ConfigError
from streamer.learn.artifacts.manifest import Manifest, Recipe
from streamer.learn.artifacts.repository import check_ours, latest_version, new_version, write_model
from streamer.learn.data.examples import Examples
from streamer.learn.kinds import KINDS, kind_of
from streamer.learn.kinds.kind import Kind
from streamer.learn.train.worker import train_worker
from streamer.records.labelset import LabelSet

Progress = Callable[[str, int, int], None]
"""Called with the model just finished, how many are, and how many there are."""


@dataclass(frozen=True, slots=True)
class Job:
    """One worker to train: the Triton name of the `model`, its `kind`, its task and examples.

    Triton loads the `served` newest versions of it. `encoder` is the folder of the pretrained
    encoder, where the kind stands on one and it is not the package's.
    """

    task: str
    model: str
    kind: str
    label_set: LabelSet
    examples: Examples
    served: int = 1
    encoder: Path | None = None


def train_workers(
    jobs: Sequence[Job],
    repository: Path,
    *,
    seed: int,
    progress: Progress,
    processes: int | None = None,
) -> dict[str, Manifest]:
    """Train what has changed and return the manifest of every job's model, by the model's name.

    A model whose newest version was made of the same examples, labels, seed and code is kept.
    Raises ConfigError before any training for an unknown kind, a label out of place or a folder
    with a model that was not trained here.
    """
    for job in jobs:
        _check(job, repository)
    manifests: dict[str, Manifest] = {}
    for model, manifest in _finished(jobs, repository, seed, processes or os.cpu_count() or 1):
        manifests[model] = manifest
        progress(model, len(manifests), len(jobs))
    return {job.model: manifests[job.model] for job in jobs}


def _check(job: Job, repository: Path) -> None:
    if job.kind not in KINDS:
        raise ConfigError(
            f"worker {job.model}: there is no kind {job.kind!r} to train; give one of"
            f" {', '.join(sorted(KINDS))}"
        )
    check_ours(repository / job.model)
    job.examples.check_labels(job.label_set.labels, f"task {job.task}")


def _finished(
    jobs: Sequence[Job], repository: Path, seed: int, processes: int
) -> Iterator[tuple[str, Manifest]]:
    due = []
    for job in jobs:
        newest = Manifest.read(repository / job.model / str(latest_version(repository, job.model)))
        if newest is not None and newest.recipe == _recipe(job, seed):
            yield job.model, newest
        else:
            due.append(job)
    if min(processes, len(due)) < 2:
        yield from ((job.model, _train(job, repository, seed)) for job in due)
        return
    # Spawned, not forked: the caller may have threads, and a fork would copy their locks.
    with ProcessPoolExecutor(min(processes, len(due)), get_context("spawn")) as pool:
        with _deaf_children():
            running: dict[Future[Manifest], str] = {
                pool.submit(_train, job, repository, seed): job.model for job in due
            }
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in active_children():
                child.terminate()
            raise


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started meanwhile don't hear Ctrl-C: we end them, or each would complain."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _train(job: Job, repository: Path, seed: int) -> Manifest:
    # One thread each: the products are small, and the order of a sum must not vary.
    with threadpool_limits(1):
        kind = kind_of(job.kind, job.encoder)
        trained = train_worker(kind, job.examples, job.label_set, seed=seed)
    manifest = Manifest.new(_recipe(job, seed), trained.settings, trained.scores)
    with new_version(repository, job.model) as folder:
        trained.model.save(folder)
        trained.held_out.save(folder)
        manifest.write(folder)
    write_model(
        repository,
        job.model,
        kind.name,
        job.label_set.labels,
        version=None,
        max_batch_size=kind.most_rows,
        served=job.served,
    )
    return manifest


def _recipe(job: Job, seed: int) -> Recipe:
    return Recipe(
        task=job.task,
        kind=job.kind,
        label_set=job.label_set.version,
        labels=job.label_set.labels,
        data_sha256=job.examples.sha256,
        rows=len(job.examples),
        seed=seed,
        code=code_hash(kind_of(job.kind, job.encoder)),
    )


def code_hash(kind: Kind, *others: ModuleType) -> str:
    """Of the source that trains and serves the kind, so that no one must remember a number, and of
    the pretrained model below it.
    """
    modules = (sys.modules[type(kind).__module__], *kind.modules, *others)
    sources = [Path(str(module.__file__)).read_bytes() for module in modules]
    sources += [base.encode() for base in [kind.base()] if base]
    return sha256(b"\0".join(sources)).hexdigest()[:16]
