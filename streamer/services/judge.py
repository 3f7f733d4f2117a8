"""The judge service: judge requests in, final labels out."""

import asyncio
import os

from streamer.config.settings import Settings
from streamer.judging.classifier import ClassifierJudge
from streamer.judging.settings import EngineSettings
from streamer.observe.exporter import traces_url
from streamer.services.judge_lanes import run_lanes
from streamer.stream.positions import Start


async def serve(settings: Settings, stop: asyncio.Event, resume: Start | None = None) -> None:
    """Run until `stop` is set; raises as `run_lanes` does."""
    await run_lanes(_classifier, settings, stop, resume)


def _classifier(settings: Settings) -> ClassifierJudge:
    return ClassifierJudge.load(
        settings.path(settings.judge.models),
        {name: task.label_set for name, task in settings.tasks.items()},
        settings=EngineSettings(traces_endpoint=traces_url(os.environ)),
        stalled_after=settings.judge.stalled_after,
    )
