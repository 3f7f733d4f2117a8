"""A folder with a trial in it, or about to have one."""

from pathlib import Path

import pytest

from streamer.cli import main
from tests.commands.learn.scene import BETTER, CASES, WORSE, Folder, Say, write_log


@pytest.fixture(scope="package")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("logs")
    write_log(where / "better.parquet", one=BETTER)
    write_log(where / "worse.parquet", one=WORSE)
    write_log(where / "same.parquet", one=CASES.worker_predictions[0])
    return where


@pytest.fixture
def folder(tmp_path: Path, logs: Path) -> Folder:
    made = Folder(tmp_path)
    for log in logs.iterdir():
        made.log(log.stem).symlink_to(log)
    return made


@pytest.fixture
def learn(folder: Folder) -> Say:
    return lambda *words: main(["learn", *map(str, words), "--config", str(folder.config)])


@pytest.fixture
def started(folder: Folder, learn: Say) -> Folder:
    assert learn("start", folder.log("same"), "--worker", "one=2", "--seed", "5") == 0
    return folder
