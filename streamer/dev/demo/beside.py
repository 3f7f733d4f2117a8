"""A second service beside the stack's own, on a topic of its own and with other settings."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import yaml

from streamer.commands.topic_recipe import PARTITIONS
from streamer.config import Settings, load
from streamer.dev.service import Service
from streamer.stream.topics import TopicSpec, create_topics

_GRACE_S = 30.0
_FOLDERS = ("models", "model", "prompts")


@asynccontextmanager
async def classify_beside(
    settings: Settings, config: Path, source: str, changes: Mapping[str, Any]
) -> AsyncIterator[None]:
    """A classify that reads topic `source` as input of that name, with `changes` to the blocks of
    `config`; `settings` are those of the running stack, whose other topics it shares.
    """
    told = {**changes, "source": source}
    async with _beside("classify", Path(sys.executable), settings, config, source, told):
        yield


@asynccontextmanager
async def judge_beside(
    settings: Settings, config: Path, name: str, kind: str
) -> AsyncIterator[Settings]:
    """A judge of another kind, which reads topic `name`; yields its settings. As above."""
    python = settings.judge_python
    folders = {key: str(settings.path(getattr(settings.judge, key))) for key in _FOLDERS}
    # Audits are the stack's own judge's.
    told = {"judge": {"kind": kind, **folders}, "audit": {"share": 0}}
    async with _beside("judge", python, settings, config, name, told) as path:
        yield load(path)


@asynccontextmanager
async def _beside(
    verb: Literal["classify", "judge"],
    python: Path,
    settings: Settings,
    config: Path,
    topic: str,
    changes: Mapping[str, Any],
) -> AsyncIterator[Path]:
    """The service while it runs; yields the path of its configuration."""
    reads = {"classify": "tickets", "judge": "judge"}[verb]
    path = _write(settings, config, topic, changes, reads)
    await create_topics(settings.kafka.bootstrap, [TopicSpec(topic, PARTITIONS, {})])
    service = Service(verb, python, ["--config", str(path)], path.parent, port=0, grace_s=_GRACE_S)
    await asyncio.to_thread(service.start)
    try:
        yield path
    finally:
        await asyncio.to_thread(service.stop)


def _write(
    settings: Settings, config: Path, topic: str, changes: Mapping[str, Any], reads: str
) -> Path:
    folder = settings.path(settings.state) / "beside"
    folder.mkdir(parents=True, exist_ok=True)
    body = yaml.safe_load(config.read_text(encoding="utf-8")) | changes
    body["topics"] = body.get("topics", {}) | {reads: topic}
    body["kafka"] |= {"bootstrap": settings.kafka.bootstrap, "group": topic}
    body["triton"] = body.get("triton", {}) | {"url": settings.triton.url}
    for task in body["tasks"].values():
        if task.get("calibration"):
            task["calibration"] = str(settings.path(Path(task["calibration"])))
    path = folder / f"{topic}.yaml"
    path.write_text(yaml.safe_dump(body), encoding="utf-8")
    return path
