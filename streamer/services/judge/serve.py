"""The judge service: judge requests in, final labels out."""

import asyncio
import os

from streamer.config.settings import Settings
from streamer.judging.judge import Judge
from streamer.judging.loading import loaded
from streamer.judging.surroundings import Surroundings
from streamer.observe.exporter import traces_url
from streamer.services.judge.lanes import run_lanes
from streamer.stream.offset_reset import Start


async def serve(settings: Settings, stop: asyncio.Event, resume: Start | None = None) -> None:
    """Run the configured judge until `stop` is set; raises as `run_lanes` does."""
    await run_lanes(_loaded, settings, stop, resume)


async def _loaded(settings: Settings, surroundings: Surroundings) -> Judge:
    return await loaded(settings, surroundings, traces=traces_url(os.environ))
