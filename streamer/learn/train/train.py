"""`streamer train`: workers here, the judge under its own interpreter, and what came of it."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.progress import Progress
from rich.table import Table

from streamer.config import Settings
from streamer.config.tasks import Data, Task, Worker
from streamer.errors import ConfigError
from streamer.judging.engine.model_folder import ModelFolder
from streamer.learn.artifacts.held_out import HeldOut
from streamer.learn.artifacts.manifest import Manifest
from streamer.learn.artifacts.repository import latest_version, problem
from streamer.learn.data.examples import Examples, read_examples
from streamer.learn.judge.judge_process import JudgeProcess
from streamer.learn.judge.order import JudgeJob, JudgeKind, Teaching, TrainingOrder
from streamer.learn.kinds import kind_of
from streamer.learn.measures.double_faults import PairErrors, pair_errors
from streamer.learn.train.training import Job, train_workers
from streamer.terminal import bars, console, note, table, tell_json
from streamer.words import no_such_task


def run(
    settings: Settings,
    *,
    what: str = "all",
    tasks: Collection[str] | None = None,
    kind: JudgeKind | None = None,
    teaching: Teaching | None = None,
    seed: int = 1,
    as_json: bool = False,
    kept: bool = True,
) -> int:
    """Train the workers, the judge or both, for `tasks` or every task that has data.

    The judge is of `kind`, for llm by `teaching`. Without it that is a classifier, and no judge is
    trained where another kind is configured: that model is the user's. What was made of the same
    data, labels, seed and code is kept; without `kept` nothing is said of it. Raises `ConfigError`
    for data, labels, kinds or folders that can't be used.
    """
    check(settings, what=what, tasks=tasks, kind=kind, teaching=teaching)
    chosen = _chosen(settings, tasks)
    judge = _judge_kind(settings, what, kind)
    before = [_newest(folder) for folder in _targets(settings, chosen, what, judge)]
    with bars() as shown:
        judged: dict[str, Manifest] = {}
        if judge is not None:
            judged = _judge(settings, chosen, teaching, seed, shown)
        workers = _workers(settings, chosen, seed, shown) if what in ("all", "workers") else {}
    if judge is None and what == "all":
        note(f"a judge of kind {settings.judge.kind} is brought along: nothing was trained for it")
    models = {**workers, **{f"judge ({name})": manifest for name, manifest in judged.items()}}
    pairs = dict(_pairs(settings, chosen, workers))
    if not kept and all(manifest in before for manifest in models.values()):
        return 0
    if as_json:
        tell_json(
            {
                "models": {name: _plain(manifest) for name, manifest in models.items()},
                "pairs": pairs,
            }
        )
    else:
        _print(models, pairs)
    return 0


def _judge_kind(settings: Settings, what: str, kind: JudgeKind | None) -> JudgeKind | None:
    """The kind of judge to train; None for none."""
    if what == "workers":
        return None
    if kind is not None or settings.judge.kind == "classifier":
        return kind or "classifier"
    told = (
        f"a judge of kind {settings.judge.kind} is brought along, and served as it is: nothing is "
        "trained for it; `streamer train judge --kind llm --base FOLDER` teaches a language model"
    )
    if what == "judge":
        raise ConfigError(told)
    return None


def check(
    settings: Settings,
    *,
    what: str = "all",
    tasks: Collection[str] | None = None,
    kind: JudgeKind | None = None,
    teaching: Teaching | None = None,
) -> None:
    """Raises `ConfigError` with all that `run` would find wrong before it reads any example."""
    chosen, judge = _chosen(settings, tasks), _judge_kind(settings, what, kind)
    lines = [_wrong_file(settings, name, _data(task)) for name, task in chosen.items()]
    if judge is not None:
        lines.append(JudgeProcess(settings.judge_python).problem())
    if what in ("all", "workers"):
        lines += [_unmade(settings, one) for task in chosen.values() for one in task.workers]
    if judge == "llm":
        lines.append(_unteachable(settings, chosen, teaching))
    lines += [problem(folder) for folder in _targets(settings, chosen, what, judge)]
    if problems := [line for line in lines if line]:
        raise ConfigError("\n".join(dict.fromkeys(problems)))


def _wrong_file(settings: Settings, task: str, data: Data) -> str | None:
    path = settings.path(data.train)
    if path.is_file() and os.access(path, os.R_OK):
        return None
    return f"tasks.{task}.data.train: can't read {path}; correct the path, or put the file there"


def _unmade(settings: Settings, worker: Worker) -> str | None:
    """Why a worker's kind can't be trained here; None where it can."""
    try:
        if worker.kind is not None:
            kind_of(worker.kind, settings.encoder(worker)).base()
    except ConfigError as error:
        return f"worker {worker.model}: {error}"
    return None


def _targets(
    settings: Settings, tasks: Mapping[str, Task], what: str, judge: JudgeKind | None
) -> Iterator[Path]:
    """The folder of every model that is to be trained."""
    if judge == "llm":
        yield settings.path(settings.judge.model)
    elif judge is not None:
        yield from (settings.path(settings.judge.models) / name for name in tasks)
    if what in ("all", "workers"):
        repository = settings.path(settings.triton.models)
        for task in tasks.values():
            yield from (
                repository / worker.model for worker in task.workers if worker.kind is not None
            )


def _newest(folder: Path) -> Manifest | None:
    return Manifest.read(folder / str(latest_version(folder.parent, folder.name)))


def _print(models: Mapping[str, Manifest], pairs: Mapping[str, Sequence[PairErrors]]) -> None:
    out = console()
    if models:
        out.print(_scores(models))
    for name, errors in pairs.items():
        out.print(_faults(name, errors))


def _chosen(settings: Settings, tasks: Collection[str] | None) -> dict[str, Task]:
    for name in tasks or ():
        if name not in settings.tasks:
            raise ConfigError(no_such_task(name, settings.tasks))
    wanted = {
        name: task
        for name, task in settings.tasks.items()
        if task.data is not None and (tasks is None or name in tasks)
    }
    if not wanted:
        raise ConfigError("nothing to train: give a task `data` with the file of its examples")
    return wanted


def _workers(
    settings: Settings, tasks: Mapping[str, Task], seed: int, bars: Progress
) -> dict[str, Manifest]:
    jobs = [
        Job(
            name,
            worker.model,
            worker.kind,
            task.label_set,
            examples,
            # Who pins a version means to have the one before or after it beside it.
            served=1 if worker.version is None else 2,
            encoder=settings.encoder(worker),
        )
        for name, task in tasks.items()
        for examples in [examples_of(settings, task)]
        for worker in task.workers
        if worker.kind is not None
    ]
    bar = bars.add_task("workers", total=len(jobs))
    return train_workers(
        jobs,
        settings.path(settings.triton.models),
        seed=seed,
        progress=lambda model, done, total: bars.update(bar, completed=done),
    )


def _judge(
    settings: Settings,
    tasks: Mapping[str, Task],
    teaching: Teaching | None,
    seed: int,
    bars: Progress,
) -> dict[str, Manifest]:
    judge = settings.judge
    jobs = [
        JudgeJob(
            name,
            task.labels,
            str(settings.path(data.train)),
            settings.example_text(data),
            data.label,
            data.held_back,
        )
        for name, task in tasks.items()
        for data in [_data(task)]
    ]
    order = TrainingOrder(
        tuple(jobs),
        str(settings.path(judge.models if teaching is None else judge.model)),
        str(settings.path(settings.state) / "embeddings"),
        seed,
        teaching,
        judge.max_ticket_tokens,
    )
    shown = {name: bars.add_task(f"judge, {name}", total=None) for name in tasks}
    process = JudgeProcess(settings.judge_python)
    trained = process.run(
        order, lambda task, done, total: bars.update(shown[task], completed=done, total=total)
    )
    for bar in shown.values():
        bars.update(bar, total=1, completed=1)
    return trained


def _unteachable(
    settings: Settings, tasks: Mapping[str, Task], teaching: Teaching | None
) -> str | None:
    """Why no language model can be taught so; None where one can."""
    if teaching is None:
        return "a judge of kind llm is taught on a model of yours: name its folder by --base"
    if missing := [name for name in settings.tasks if name not in tasks]:
        return (
            f"a taught judge is one model for all tasks, and would not know {', '.join(missing)}: "
            "give each task `data`, and leave --task out"
        )
    try:
        ModelFolder.at(Path(teaching.base))
    except ConfigError as error:
        return f"--base: {error}"
    return None


def examples_of(settings: Settings, task: Task) -> Examples:
    """What a task with `data` learns from, and a word on what is left out.

    Raises `ConfigError` where it can't be read.
    """
    data = _data(task)
    examples = read_examples(
        settings.path(data.train),
        text=settings.example_text(data),
        label=data.label,
        held_back=data.held_back,
    )
    if examples.textless:
        note(f"{data.train}: {examples.textless} rows with a label and no text are left out")
    return examples


def _data(task: Task) -> Data:
    assert task.data is not None  # tasks without data are left out by _chosen
    return task.data


def _scores(manifests: Mapping[str, Manifest]) -> Table:
    title = "held-out scores, on examples kept from the training data"
    shown = table("model", "accuracy", "macro-F1", "log loss", "rows", title=title)
    for name, manifest in manifests.items():
        held = manifest.held_out
        figures = (f"{held.accuracy:.3f}", f"{held.macro_f1:.3f}", f"{held.nll:z.3f}")
        shown.add_row(name, *figures, str(held.rows))
    return shown


def _pairs(
    settings: Settings, tasks: Mapping[str, Task], manifests: Mapping[str, Manifest]
) -> Iterator[tuple[str, list[PairErrors]]]:
    repository = settings.path(settings.triton.models)
    for name, task in tasks.items():
        models = [worker.model for worker in task.workers if worker.model in manifests]
        if len(models) > 1:
            versions = [
                repository / model / str(latest_version(repository, model)) for model in models
            ]
            held = [HeldOut.load(version) for version in versions]
            answers = {
                model: held_out.probs.argmax(axis=1)
                for model, held_out in zip(models, held, strict=True)
            }
            yield name, pair_errors(answers, held[0].gold)


def _faults(task: str, pairs: Sequence[PairErrors]) -> Table:
    title = f"{task}: who errs together (choose workers that don't)"
    shown = table("pair", "agree", "both wrong", "wrong alike", title=title)
    for pair in pairs:
        figures = (pair.agreement, pair.double_fault, pair.same_fault)
        shown.add_row(" + ".join(pair.workers), *(f"{figure:.3f}" for figure in figures))
    return shown


def _plain(manifest: Manifest) -> dict[str, Any]:
    return {
        "task": manifest.recipe.task,
        "rows": manifest.recipe.rows,
        "held_out": manifest.held_out,
    }
