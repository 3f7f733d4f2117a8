"""A young task: few examples to begin with, a judge that knows it, and tickets still to come."""

import csv
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from streamer.config import Settings
from streamer.config.tasks import Data
from streamer.dev.demo.scenario import Played
from streamer.errors import ConfigError
from streamer.records.rows import rows

TASK = "intent"

_EXAMPLES = 150
_WAVE = 1500
_AUDITED = 0.5


@dataclass(frozen=True, slots=True)
class Young:
    """The configuration, that of its judge's training, and the waves of tickets with their labels.

    No ticket is in two waves, none has taught the judge or the workers. `tickets` is a file with
    those of all waves, as they come, without labels.
    """

    config: Path
    judge: Path
    tickets: Path
    waves: tuple[tuple[Played, ...], ...]


def young(settings: Settings) -> Young:
    """Write everything anew into the state folder of `settings`.

    Of the task's training examples the first few teach the workers, the next are the first and the
    third wave, and the rest teach the judge. The second wave are those held back to calibrate, the
    last the test tickets. Raises `ConfigError` where the task has no such data.
    """
    data, folder = _data(settings), settings.path(settings.state) / "loop-demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    train, second, last = (list(rows(settings.path(path))) for path in _files(data))
    first, third = _EXAMPLES, _EXAMPLES + _WAVE
    _write(folder / "examples.csv", train[:first])
    _write(folder / "judge.csv", train[third + _WAVE :])
    parts = (train[first:third], second, train[third : third + _WAVE], last)
    waves = tuple(tuple(_played(part, data.label, settings)) for part in parts)
    tickets = folder / "tickets.jsonl"
    tickets.write_bytes(b"\n".join(ticket.value or b"" for wave in waves for ticket in wave))
    return Young(
        _configured(settings, folder, "streamer.yaml", "examples.csv"),
        _configured(settings, folder, "judge.yaml", "judge.csv"),
        tickets,
        waves,
    )


def _data(settings: Settings) -> Data:
    task = settings.tasks.get(TASK)
    if task is None or task.data is None:
        raise ConfigError(f"the loop is shown on task {TASK!r} of the sample: give it data")
    return task.data


def _files(data: Data) -> tuple[Path, Path, Path]:
    if data.calibrate is None or data.test is None:
        raise ConfigError(f"tasks.{TASK}.data: the loop needs files for calibrate and test, too")
    return data.train, data.calibrate, data.test


def _write(path: Path, written: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(written[0]))
        writer.writeheader()
        writer.writerows(written)


def _played(part: Sequence[Mapping[str, Any]], label: str, settings: Settings) -> list[Played]:
    played = []
    pointer = settings.input.id.removeprefix("/")
    for row in part:
        ticket = {key: row[key] for key in (pointer, "subject", "text")}
        key = str(row[pointer]).encode()
        played.append(Played(key, orjson.dumps(ticket), "labels", {TASK: str(row[label])}))
    return played


def _configured(settings: Settings, folder: Path, name: str, examples: str) -> Path:
    task, data = settings.tasks[TASK], _data(settings)
    judge = {
        "python": str(settings.judge_python.absolute()),
        "models": "judge_models",
    }
    body = {
        "source": "loop-demo",
        "kafka": {"start": "earliest", "group": "loop-demo"},
        "input": {"id": settings.input.id, "text": list(settings.input.text)},
        "triton": {"models": "models"},
        "judge": judge,
        "audit": {"share": _AUDITED},
        "log": {"share": 1.0},
        "state": ".",
        "learned": "learned.json",
        "tasks": {
            TASK: {
                "labels": list(task.labels),
                "workers": [{"model": w.model, "kind": w.kind} for w in task.workers],
                "rule": "unanimity",
                "data": {
                    "train": examples,
                    "text": list(settings.example_text(data)),
                    "label": data.label,
                },
            }
        },
    }
    path = folder / name
    path.write_text(yaml.safe_dump(body, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
