"""A second classify beside the stack's own, on a topic of its own and with other settings."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from streamer.config import Settings
from streamer.dev.service import Service
from streamer.services.topic_recipe import PARTITIONS
from streamer.stream.topics import TopicSpec, create_topics

_GRACE_S = 30.0


@asynccontextmanager
async def classify_beside(
    settings: Settings, config: Path, source: str, changes: Mapping[str, Any]
) -> AsyncIterator[None]:
    """A classify that reads topic `source` as input of that name, with `changes` to the blocks of
    `config`; `settings` are those of the running stack, whose other topics it shares.
    """
    path = _write(settings, config, source, changes)
    await create_topics(settings.kafka.bootstrap, [TopicSpec(source, PARTITIONS, {})])
    arguments = ["--config", str(path)]
    service = Service(
        "classify", Path(sys.executable), arguments, path.parent, port=0, grace_s=_GRACE_S
    )
    await asyncio.to_thread(service.start)
    try:
        yield
    finally:
        await asyncio.to_thread(service.stop)


def _write(settings: Settings, config: Path, source: str, changes: Mapping[str, Any]) -> Path:
    folder = settings.path(settings.state) / "beside"
    folder.mkdir(parents=True, exist_ok=True)
    body = yaml.safe_load(config.read_text(encoding="utf-8")) | changes | {"source": source}
    body["topics"] = body.get("topics", {}) | {"tickets": source}
    body["kafka"] |= {"bootstrap": settings.kafka.bootstrap, "group": source}
    body["triton"] = body.get("triton", {}) | {"url": settings.triton.url}
    for task in body["tasks"].values():
        if task.get("calibration"):
            task["calibration"] = str(settings.path(Path(task["calibration"])))
    path = folder / f"{source}.yaml"
    path.write_text(yaml.safe_dump(body), encoding="utf-8")
    return path
