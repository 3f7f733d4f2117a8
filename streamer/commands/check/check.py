"""Says whether the configuration, and with it Kafka, Triton and the judge, are right."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import suppress

from streamer.commands.check.endpoint_check import EndpointReport, endpoint_report
from streamer.commands.check.file_check import file_problems, file_warnings, judge_problems
from streamer.commands.check.model_check import model_problems
from streamer.commands.check.text_hosts import text_hosts
from streamer.commands.check.ticket_check import TicketReport, ticket_report
from streamer.commands.check.topic_check import TopicReport, topic_report
from streamer.config.environment import Environment
from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.errors import ConfigError
from streamer.records.learned import Serving
from streamer.records.learned_file import read_learned
from streamer.services.intake.ticket_reader import TicketReader
from streamer.terminal import note, paint, tell, tell_json

PATIENCE_S = 3.0


def run(settings: Settings, environment: Environment, connect: bool, as_json: bool) -> int:
    """Write a summary of a good configuration, without what is from the environment; return 0.

    Raises `ConfigError` with one line for each problem; as JSON they are the answer, and 2 is
    returned. `connect` also asks Kafka for the topics, Triton for models and labels, and looks for
    the judge's models, or asks its endpoint what it can. What is not wrong but should be known
    comes as warnings, on stderr.
    """
    problems, warnings = file_problems(settings), list(file_warnings(settings))
    topics, tickets, endpoint = TopicReport(), TicketReport(), EndpointReport()
    if connect:
        topics, tickets, models, endpoint = asyncio.run(_connected(settings))
        reported = [*topics.problems, *tickets.problems, *models, *judge_problems(settings)]
        reported += endpoint.problems
        problems = list(dict.fromkeys([*problems, *reported]))
        warnings += [*topics.warnings, *tickets.warnings]
    if as_json:
        lines = {"problems": problems, "warnings": warnings, "kept": topics.kept}
        lines["text_goes_to"] = text_hosts(settings)
        lines["judge"] = list(endpoint.seen)
        lines["learned"] = list(_learned(settings))
        shown = {key: list(map(environment.hide, texts)) for key, texts in lines.items()}
        tell_json({"good": not problems, "connected": connect, **shown})
        return 2 if problems else 0
    for warning in warnings:
        yellow = paint("warning", "yellow", stream=sys.stderr)
        note(f"{yellow}: {environment.hide(warning)}")
    if problems:
        raise ConfigError("\n".join(problems))
    summed = [*summary(settings, connect, len(warnings)), *endpoint.seen, *tickets.seen]
    summed += topics.kept
    tell(environment.hide("\n".join(summed)))
    return 0


def summary(settings: Settings, connected: bool, warnings: int) -> Iterator[str]:
    """What is configured, in a few lines; the number of warnings stands in the first."""
    asked = ": Kafka, Triton and the judge too" if connected else ""
    but = f", but for {warnings} warning{'s' if warnings > 1 else ''}" if warnings else ""
    yield f"the configuration is good{asked}{but}"
    topics = settings.topics
    yield f"kafka   {settings.kafka.bootstrap}, group {settings.kafka.group}"
    yield f"topics  {topics.tickets} -> {topics.labels}, {topics.judge}, {topics.dead}"
    yield f"triton  {settings.triton.url}"
    yield f"text    of tickets goes to {', '.join(text_hosts(settings))}"
    for name, task in settings.tasks.items():
        yield f"task    {name}: {_describe(task)}"
    for line in _learned(settings):
        yield f"learned {line}"


def _learned(settings: Settings) -> Iterator[str]:
    """What stands in the tasks that `streamer learn` wrote, and not a person."""
    if settings.learned is None:
        return
    learned = read_learned(settings.path(settings.learned))
    for name, serves in learned.serves.items():
        parts = [_version(model, worker) for model, worker in serves.workers.items()]
        files = {"calibration": serves.calibration, "segments": serves.segments}
        parts += [f"{key} {file}" for key, file in files.items() if file is not None]
        step = learned.of(name)[-1]
        yield f"{name}: {', '.join(parts)}; by step {step.number}, {step.kind}, {step.at}"
    if not learned.entries:
        yield f"nothing yet ({settings.learned})"


def _version(model: str, worker: Serving) -> str:
    if worker.shadow is None:
        return f"{model} {worker.version}"
    return f"{model} {worker.version} with {worker.shadow.version} on trial"


def _describe(task: Task) -> str:
    workers = ", ".join(worker.model for worker in task.workers)
    threshold = ""
    if task.rule.confidence is not None:
        threshold = f" with {task.rule.confidence} confidence of at least {task.rule.at_least:g}"
    elif task.rule.alpha is not None:
        alone = f" of {task.rule.worker} alone" if task.rule.worker else ""
        threshold = f" with alpha {task.rule.alpha:g}{alone}"
    where = ""
    if task.when is not None:
        where = f", for tickets whose {task.when.field or f'label of {task.when.task}'} is " + (
            " or ".join(task.when.values)
        )
    routed = "" if task.segments is None else f", by the segments of {task.segments}"
    return f"{len(task.labels)} labels, {task.rule.kind} of {workers}{threshold}{where}{routed}"


async def _connected(
    settings: Settings,
) -> tuple[TopicReport, TicketReport, list[str], EndpointReport]:
    topics, models, endpoint = await asyncio.gather(
        topic_report(settings),
        model_problems(settings, PATIENCE_S),
        endpoint_report(settings, PATIENCE_S),
    )
    tickets = TicketReport()
    if settings.topics.tickets in topics.there:
        with suppress(ConfigError):  # a decoder that can't be imported was told before
            tickets = await ticket_report(settings, TicketReader.of(settings.input))
    return topics, tickets, models, endpoint
