"""The configuration for the data sets of a folder: bank intents and airline sentiment."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from streamer.config import Settings
from streamer.config.tasks import STARTERS
from streamer.errors import ConfigError
from streamer.records.rows import rows

_TASKS = {
    "intent": ("bank", "topic_banking77"),
    "queue": ("bank", "topic_banking77"),
    "sentiment": ("airline", "sentiment_airline"),
    "reason": ("complaint", "sentiment_airline"),
}


def write_config(
    folder: Path, settings: Settings, tasks: Sequence[str] = ("intent", "sentiment")
) -> Path:
    """Write a configuration of these tasks into the state folder of `settings`; return its path.

    Its own state and models lie beside it, apart from those of `settings`, whose judge's
    interpreter it takes over. Raises `ConfigError` where `folder` lacks a data set.
    """
    target = settings.path(settings.state) / "data-demo"
    target.mkdir(parents=True, exist_ok=True)
    body = {
        "kafka": {"start": "earliest", "group": "data-demo"},
        "source": "data-demo",
        "triton": {"models": "models"},
        "judge": {
            "python": str(settings.judge_python.absolute()),
            "models": "judge_models",
        },
        "state": ".",
        "tasks": {name: _task(name, folder.resolve(), *_TASKS[name]) for name in tasks},
    }
    path = target / f"{'-'.join(tasks)}.yaml"
    path.write_text(yaml.safe_dump(body, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def _task(name: str, folder: Path, source: str, stem: str) -> Mapping[str, Any]:
    train, test = (folder / f"{stem}.{split}.csv.gz" for split in ("train", "test"))
    for file in (train, test):
        if not file.is_file():
            raise ConfigError(f"{file} isn't there: give the folder of the data sets by --data")
    return {
        "labels": sorted({str(row[name]) for row in rows(train) if row[name]}),
        "workers": [{"model": f"{name}_{short}", "kind": kind} for short, kind in STARTERS.items()],
        # By the held-out examples: two workers are often wrong alike, all three seldom.
        "rule": "unanimity",
        "when": {"field": "/source", "equals": source},
        "data": {"train": str(train), "test": str(test), "label": name, "held_back": 0.2},
    }
