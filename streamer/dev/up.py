"""`streamer up`: the whole stack on this machine until Ctrl-C."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from streamer.dev.bring_up import bring_up
from streamer.dev.stack import Stack
from streamer.dev.stopping import interruptible
from streamer.terminal import console


def run(config: Path, overrides: Mapping[str, str]) -> int:
    """Train what is missing, start everything, say where it is, and serve until told to stop.

    Raises what made a part fail; no process is left behind either way.
    """
    out = console()
    with interruptible(), Stack(config, overrides, out.print) as stack:
        try:
            bring_up(stack, out.print, own_workers="triton.url" not in overrides)
            for line in whereabouts(stack, config):
                out.print(line)
            threading.Event().wait()
        except KeyboardInterrupt:
            out.print("stopping")
    return 0


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
    yield f"  streamer send {given} {_example(stack)}"
    yield "Ctrl-C stops everything."


def _example(stack: Stack) -> str:
    settings = stack.settings
    for task in settings.tasks.values():
        if task.data is not None:
            return str(settings.path(task.data.test or task.data.train))
    return "FILE"
