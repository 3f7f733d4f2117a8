"""Says whether the configuration, and with it Kafka, Triton and the judge, are right."""

import asyncio
import sys
from collections.abc import Iterator

from streamer.config.environment import Environment
from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.errors import ConfigError, StreamerError
from streamer.judging.head import Head
from streamer.judging.model_folder import ModelFolder
from streamer.judging.prompts import load_prompts
from streamer.judging.sequence_model import SequenceModel
from streamer.records.learned import Serving
from streamer.records.learned_file import read_learned
from streamer.services.decoding import load_decoder
from streamer.services.monitor.door import refuse_open_door
from streamer.services.routing_file import RoutingFile
from streamer.services.topic_check import TopicReport, topic_report
from streamer.terminal import note, paint, tell, tell_json
from streamer.workers.faults import Outage
from streamer.workers.handshake import handshake
from streamer.workers.triton import Tls, TritonClient

PATIENCE_S = 3.0


def run(settings: Settings, environment: Environment, connect: bool, as_json: bool) -> int:
    """Write a summary of a good configuration, without what is from the environment; return 0.

    Raises `ConfigError` with one line for each problem; as JSON they are the answer, and 2 is
    returned. `connect` also asks Kafka for the topics, Triton for models and labels, and looks for
    the judge's models. What is not wrong but should be known comes as warnings, on stderr.
    """
    problems = [*_decoder_problems(settings), *_door_problems(settings)]
    problems += _prompt_problems(settings)
    problems += _segment_problems(settings)
    topics = TopicReport()
    if connect:
        topics, models = asyncio.run(_connected(settings))
        problems += [*topics.problems, *models, *_judge_problems(settings)]
    if as_json:
        lines = {"problems": problems, "warnings": topics.warnings, "kept": topics.kept}
        lines["learned"] = list(_learned(settings))
        said = {key: list(map(environment.hide, found)) for key, found in lines.items()}
        tell_json({"good": not problems, "connected": connect, **said})
        return 2 if problems else 0
    for warning in topics.warnings:
        yellow = paint("warning", "yellow", stream=sys.stderr)
        note(f"{yellow}: {environment.hide(warning)}")
    if problems:
        raise ConfigError("\n".join(problems))
    tell(environment.hide("\n".join([*summary(settings, connect), *topics.kept])))
    return 0


def summary(settings: Settings, connected: bool) -> Iterator[str]:
    """What is configured, in a few lines."""
    asked = ": Kafka, Triton and the judge too" if connected else ""
    yield f"the configuration is good{asked}"
    topics = settings.topics
    yield f"kafka   {settings.kafka.bootstrap}, group {settings.kafka.group}"
    yield f"topics  {topics.tickets} -> {topics.labels}, {topics.judge}, {topics.dead}"
    yield f"triton  {settings.triton.url}"
    for name, task in settings.tasks.items():
        yield f"task    {name}: {_describe(task)}"
    for line in _learned(settings):
        yield f"learned {line}"


def _learned(settings: Settings) -> Iterator[str]:
    """What stands in the tasks that `streamer learn` wrote, and not a person."""
    if settings.learned is None:
        return
    found = read_learned(settings.path(settings.learned))
    for name, serves in found.serves.items():
        said = [_version(model, worker) for model, worker in serves.workers.items()]
        files = {"calibration": serves.calibration, "segments": serves.segments}
        said += [f"{key} {file}" for key, file in files.items() if file is not None]
        step = found.of(name)[-1]
        yield f"{name}: {', '.join(said)}; by step {step.number}, {step.kind}, {step.at}"
    if not found.entries:
        yield f"nothing yet ({settings.learned})"


def _version(model: str, worker: Serving) -> str:
    if worker.shadow is None:
        return f"{model} {worker.version}"
    return f"{model} {worker.version} with {worker.shadow.version} on trial"


def _describe(task: Task) -> str:
    workers = ", ".join(worker.model for worker in task.workers)
    sure = ""
    if task.rule.confidence is not None:
        sure = f" with {task.rule.confidence} confidence of at least {task.rule.at_least:g}"
    elif task.rule.alpha is not None:
        alone = f" of {task.rule.worker} alone" if task.rule.worker else ""
        sure = f" with alpha {task.rule.alpha:g}{alone}"
    where = ""
    if task.when is not None:
        where = f", for tickets whose {task.when.field or f'label of {task.when.task}'} is " + (
            " or ".join(task.when.values)
        )
    routed = "" if task.segments is None else f", by the segments of {task.segments}"
    return f"{len(task.labels)} labels, {task.rule.kind} of {workers}{sure}{where}{routed}"


def _decoder_problems(settings: Settings) -> Iterator[str]:
    if settings.input.decoder is not None:
        try:
            load_decoder(settings.input.decoder)
        except ConfigError as error:
            yield str(error)


def _door_problems(settings: Settings) -> Iterator[str]:
    try:
        refuse_open_door(settings)
    except ConfigError as error:
        yield str(error)


async def _connected(settings: Settings) -> tuple[TopicReport, list[str]]:
    return await asyncio.gather(topic_report(settings), _model_problems(settings))


async def _model_problems(settings: Settings) -> list[str]:
    triton = settings.triton
    try:
        tls = None if triton.ca_file is None else Tls(settings.path(triton.ca_file))
        client = TritonClient(triton.url, tls=tls)
    except ConfigError as error:
        return [str(error)]
    asked = {
        worker.model: (task.labels, worker.version or "")
        for task in settings.tasks.values()
        for worker in task.workers
    }
    try:
        answers = await asyncio.gather(
            *(
                handshake(client, model, labels, patience_s=PATIENCE_S, version=version)
                for model, (labels, version) in asked.items()
            ),
            return_exceptions=True,
        )
    finally:
        await client.close()
    if answers and all(type(error) is Outage for error in answers):
        # One server that doesn't answer is one problem, however many workers it has.
        return [
            f"no Triton answers at {triton.url}: start it, or correct triton.url ({answers[0]})"
        ]
    return [f"triton {triton.url}: {error}" for error in answers if _known(error)]


def _known(error: object) -> bool:
    if isinstance(error, BaseException) and not isinstance(error, StreamerError):
        raise error
    return isinstance(error, StreamerError)


def _segment_problems(settings: Settings) -> Iterator[str]:
    for name, task in settings.tasks.items():
        if task.segments is not None:
            try:
                RoutingFile.of(name, task, settings.path(task.segments))
            except ConfigError as error:
                yield str(error)


def _prompt_problems(settings: Settings) -> Iterator[str]:
    if settings.judge.kind != "llm":
        return
    for name, label_set in settings.label_sets.items():
        try:
            load_prompts(settings.path(settings.judge.prompts), {name: label_set})
        except ConfigError as error:
            yield str(error)


def _judge_problems(settings: Settings) -> Iterator[str]:
    judge = settings.judge
    if judge.kind == "classifier":
        yield from _head_problems(settings)
    elif judge.kind == "sequence":
        yield from _sequence_problems(settings)
    else:
        try:
            ModelFolder.at(settings.path(judge.model))
        except ConfigError as error:
            yield str(error)


def _sequence_problems(settings: Settings) -> Iterator[str]:
    folder, longest = settings.path(settings.judge.models), settings.judge.max_ticket_tokens
    for name, label_set in settings.label_sets.items():
        try:
            SequenceModel.at(folder / name, label_set, longest)
        except ConfigError as error:
            yield str(error)


def _head_problems(settings: Settings) -> Iterator[str]:
    """Looks at the files only: the judge's own libraries live in another environment."""
    folder = settings.path(settings.judge.models)
    for name, task in settings.tasks.items():
        try:
            held = [Head.load(version) for version in (folder / name).glob("[0-9]*")]
        except ConfigError as error:
            yield str(error)
            continue
        if task.label_set not in [head.label_set for head in held]:
            yield (
                f"{folder / name}: the judge has no head for the labels of task {name}; "
                f"run `streamer train judge --task {name}`"
            )
