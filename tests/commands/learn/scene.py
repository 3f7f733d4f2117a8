"""What tests of `streamer learn` stand on: a configuration, a repository of models, and logs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from streamer.config import Settings, load
from streamer.decide.predictions import Predictions
from streamer.learn.artifacts.repository import write_model
from streamer.learn.data.dataset import Dataset
from streamer.records.log import log_json
from streamer.records.log_file import LogWriter
from tests.learn import planted
from tests.learn.rollout.tried import tried

COUNT, SEED = 1500, 7
RNG = np.random.default_rng(SEED)
CASES = planted.well_behaved(RNG, COUNT)
BETTER, WORSE = (planted.seen_again(RNG, CASES, strength) for strength in (3.0, 0.4))

Say = Callable[..., int]


def write_log(path: Path, cases: Dataset = CASES, **trials: Predictions) -> None:
    print(f"seed {SEED}")
    with LogWriter(path) as log:
        for one in tried(cases, trials):
            log.add(log_json(one))


class Folder:
    """A configuration, a repository with two versions of worker one, and logs."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self.config = where / "streamer.yaml"
        self.learned = where / "learned.json"
        self.task: dict[str, Any] = {"labels": list(CASES.labels), "workers": list(CASES.workers)}
        for name in CASES.workers:
            write_model(where / "models_repo", name, "echo", CASES.labels)
        self.version("one", 2)
        self.write()

    def version(self, model: str, number: int) -> None:
        folder = self.where / "models_repo" / model / str(number)
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps({"digest": f"{number:064x}"}))

    def write(self, **task: Any) -> None:
        self.task |= task
        body = {
            "kafka": {"start": "earliest"},
            "learned": "learned.json",
            "tasks": {"planted": self.task},
        }
        self.config.write_text(yaml.safe_dump(body))

    def log(self, name: str) -> Path:
        return self.where / f"{name}.parquet"

    @property
    def pbtxt(self) -> Path:
        return self.where / "models_repo" / "one" / "config.pbtxt"

    def policy(self) -> str:
        text = self.pbtxt.read_text()
        return next(line for line in text.splitlines() if line.startswith("version_policy"))

    @property
    def settings(self) -> Settings:
        return load(self.config)

    def serves(self) -> tuple[str | None, str | None]:
        """The version of worker one that serves, and the one on trial."""
        worker = self.settings.tasks["planted"].workers[0]
        return worker.version, None if worker.shadow is None else worker.shadow.version


def entries(folder: Folder) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(folder.learned.read_bytes())["entries"]
    return found
