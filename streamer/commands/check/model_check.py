"""Whether Triton has the workers, the versions on trial, and what was calibrated."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from streamer.config.settings import Settings
from streamer.errors import ConfigError, StreamerError
from streamer.services.classify.assembly import check_versions, read_calibrations, triton_client
from streamer.workers.faults import Outage
from streamer.workers.triton import TritonClient
from streamer.workers.worker import Worker


async def model_problems(settings: Settings, patience_s: float) -> list[str]:
    """A line for each that is missing or another than configured; waits so long for Triton."""
    url = settings.triton.url
    try:
        client = triton_client(settings)
    except ConfigError as error:
        return [str(error)]
    try:
        workers, on_trial = _workers(client, settings), _on_trial(client, settings)
        asked = [*workers.values(), *on_trial]
        answers = await asyncio.gather(
            *(worker.start(patience_s=patience_s) for worker in asked), return_exceptions=True
        )
    finally:
        await client.close()
    if answers and all(type(error) is Outage for error in answers):
        # One server that doesn't answer is one problem, however many workers it has.
        return [f"no Triton answers at {url}: start it, or correct triton.url ({answers[0]})"]
    problems = [f"triton {url}: {error}" for error in answers if _known(error)]
    return problems or list(_uncalibrated(settings, workers))


def _workers(client: TritonClient, settings: Settings) -> dict[str, Worker]:
    return {
        worker.model: Worker(client, worker.model, task.labels, version=worker.version or "")
        for task in settings.tasks.values()
        for worker in task.workers
    }


def _on_trial(client: TritonClient, settings: Settings) -> list[Worker]:
    return [
        Worker(client, worker.model, task.labels, version=worker.shadow.version)
        for task in settings.tasks.values()
        for worker in task.workers
        if worker.shadow is not None
    ]


def _uncalibrated(settings: Settings, workers: Mapping[str, Worker]) -> list[str]:
    problems = []
    for name, task in settings.tasks.items():
        # A file that can't be read is told where files are looked at.
        with suppress(ConfigError):
            calibrations = read_calibrations(settings.model_copy(update={"tasks": {name: task}}))
            try:
                check_versions(calibrations, workers)
            except ConfigError as error:
                problems.append(str(error))
    return problems


def _known(error: object) -> bool:
    if isinstance(error, BaseException) and not isinstance(error, StreamerError):
        raise error
    return isinstance(error, StreamerError)
