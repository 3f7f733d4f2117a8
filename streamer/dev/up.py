"""`streamer up`: the whole stack on this machine until Ctrl-C."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from streamer.commands.file_tickets import FileTickets
from streamer.config import Settings
from streamer.dev.bring_up import bring_up
from streamer.dev.stack import Stack
from streamer.dev.stopping import interruptible
from streamer.errors import ConfigError
from streamer.services.runtime.kafka import kafka_clients
from streamer.terminal import console


def run(config: Path, overrides: Mapping[str, str]) -> int:
    """Train what is missing, start everything, say where it is, and serve until told to stop.

    Raises what made a part fail; no process is left behind either way.
    """
    out = console()
    with interruptible(), Stack(config, overrides, out.print) as stack:
        try:
            if not stack.owns("kafka"):
                _check_tickets_topic(stack.settings)
            bring_up(stack, out.print, own_workers="triton.url" not in overrides)
            for line in whereabouts(stack, config):
                out.print(line)
            threading.Event().wait()
        except KeyboardInterrupt:
            out.print("stopping")
    return 0


def _check_tickets_topic(settings: Settings) -> None:
    """Raises `ConfigError` where a Kafka of the user's has no such topic: one that were made here
    would stay empty, since whoever writes tickets writes to another.
    """
    clients = kafka_clients(settings.kafka)
    asyncio.run(clients.ensure_topics([settings.topics.tickets]))


def whereabouts(stack: Stack, config: Path) -> Iterator[str]:
    """Where everything is, and what to try next."""
    settings = stack.settings
    topics = settings.topics
    given = f"--config {config} --kafka {settings.kafka.bootstrap}"
    yield ""
    yield f"Kafka     {settings.kafka.bootstrap}"
    yield f"topics    {topics.tickets} -> {topics.labels}, {topics.judge}, {topics.dead}"
    yield f"Triton    {settings.triton.url}"
    for name, service in stack.services.items():
        page = "" if name == "monitor" else "/metrics"
        yield f"{name:<8}  {service.url}{page}"
    yield f"logs      {stack.logs}"
    yield ""
    yield "Try in another terminal:"
    yield f"  streamer tail {given}"
    # Into a topic of the user's own no made-up tickets: they would take the ids of real ones.
    if stack.owns("kafka") and (file := _example(settings)) is not None:
        yield f"  streamer send {given} {file}"
    yield "Ctrl-C stops everything."


def _example(settings: Settings) -> str | None:
    """A file of the tasks' own that `streamer send` takes; none that can be told where a decoder
    says what tickets look like.
    """
    for task in settings.tasks.values():
        if task.data is not None:
            file = settings.path(task.data.test or task.data.train)
            if _is_taken(settings, file):
                return str(file)
    return "FILE" if settings.input.decoder is None else None


def _is_taken(settings: Settings, file: Path) -> bool:
    try:
        FileTickets(settings, file).check()
    except ConfigError:
        return False
    return True
