"""What the services read when they start, but for the network: read here by the same functions."""

import shutil
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from streamer.commands.check.text_hosts import endpoint_hosts, worker_urls
from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.errors import ConfigError
from streamer.judging.classifier.heads import Head
from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.llm.nearest import load_labelled
from streamer.judging.llm.prompt import load_prompts, prompts_folder
from streamer.judging.sequence.sequence_model import SequenceModel
from streamer.services.classify.assembly import read_calibrations, read_routings
from streamer.services.intake.ticket_reader import TicketReader
from streamer.services.judge.judge_task import judge_tasks
from streamer.services.monitor.expectations import expectations
from streamer.services.monitor.exposure import is_loopback, refuse_open_door


def file_problems(settings: Settings) -> list[str]:
    """A line for everything that would end classify, judge or monitor at their start."""
    reads: list[Callable[[], object]] = [
        partial(TicketReader.of, settings.input),
        partial(refuse_open_door, settings),
    ]
    for name, task in settings.tasks.items():
        # One task at a time, so that each says what is wrong with it.
        alone = settings.model_copy(update={"tasks": {name: task}})
        reads += [
            partial(read, alone)
            for read in (read_calibrations, read_routings, judge_tasks, expectations)
        ]
        prompts, kind = settings.path(settings.judge.prompts), settings.judge.kind
        if kind == "llm":
            prompts = prompts_folder(settings.path(settings.judge.model), prompts)
        # A classifier behind an endpoint needs none: only what is there is looked at.
        if kind == "llm" or (kind == "endpoint" and (prompts / f"{name}.yaml").exists()):
            reads.append(partial(load_prompts, prompts, alone.label_sets))
    if settings.judge.kind == "llm" and settings.judge.examples:
        prompts = settings.path(settings.judge.prompts)
        reads.append(partial(load_labelled, prompts, settings.label_sets, _unembedded))
    return list(dict.fromkeys(line for read in reads for line in _complaint(read)))


def file_warnings(settings: Settings) -> Iterator[str]:
    """A line for what can be meant so, and probably isn't."""
    for name, task in settings.tasks.items():
        if task.calibration is not None and task.rule.kind != "calibrated":
            yield (
                f"tasks.{name}.calibration: the rule is {task.rule.kind}, so what was chosen there"
                " is not used, its temperatures apart: write `rule: calibrated`"
            )
        yield from _alike(name, task)
    judges = [settings.judge.endpoint.url or ""] if endpoint_hosts(settings) else []
    for where, urls in (("judge.endpoint.url", judges), ("workers", worker_urls(settings))):
        for url in map(urlsplit, dict.fromkeys(urls)):
            if url.scheme == "http" and not is_loopback(url.hostname or ""):
                yield (
                    f"{where}: tickets, and the key, go to {url.netloc} unencrypted: write https"
                )


def judge_problems(settings: Settings) -> Iterator[str]:
    """A line for everything that the judge and its training lack.

    Looks at the files only: the judge's own libraries live in another environment.
    """
    judge, longest = settings.judge, settings.judge.engine.max_model_len
    if judge.kind == "endpoint":
        return
    python = settings.judge_python
    # One that nobody named is needed on the machine alone on which the judge is trained.
    if "python" in judge.model_fields_set and shutil.which(python) is None:
        yield (
            f"judge.python: there is no program {python}; run `make setup`, or name the"
            " interpreter of the judge's environment"
        )
    if judge.kind == "llm":
        yield from _complaint(partial(ModelFolder.at, settings.path(judge.model), longest))
        return
    folder = settings.path(judge.models)
    for name, task in settings.tasks.items():
        if judge.kind == "classifier":
            yield from _complaint(partial(_head, folder / name, name, task))
        else:
            model = folder / name
            most = judge.max_ticket_tokens
            read = partial(SequenceModel.at, model, task.label_set, most, longest)
            yield from _complaint(read)


def _head(folder: Path, name: str, task: Task) -> None:
    held = [Head.load(version) for version in folder.glob("[0-9]*")]
    if task.label_set not in [head.label_set for head in held]:
        raise ConfigError(
            f"{folder}: the judge has no head for the labels of task {name}; "
            f"run `streamer train judge --task {name}`"
        )


def _unembedded(texts: Sequence[str]) -> NoReturn:
    """The encoder is in the judge's environment; to read the tickets takes none."""
    raise AssertionError("tickets were embedded to check a file")


def _complaint(read: Callable[[], object]) -> Iterator[str]:
    try:
        read()
    except ConfigError as error:
        yield str(error)


def _alike(name: str, task: Task) -> Iterator[str]:
    folded: dict[str, str] = {}
    for label in task.labels:
        form = unicodedata.normalize("NFKC", label).casefold()
        if (other := folded.setdefault(form, label)) != label:
            yield (
                f"tasks.{name}.labels: {other!r} and {label!r} look nearly alike: people and a"
                " judge that reads their names may mix them up"
            )
