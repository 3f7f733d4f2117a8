"""The model repository of a checkout is what training the sample writes; Git ignores the rest."""

import shutil
from pathlib import Path

import pytest
import yaml

from streamer.config import load
from streamer.learn.artifacts.repository import new_version
from streamer.learn.train import train
from tests.checkout import changes, make_checkout
from tests.stage import ROOT, part_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout of the sample with few of its examples."""
    settings = yaml.safe_load((ROOT / "streamer.yaml").read_text())
    part_of(ROOT / "sample" / "helpdesk.train.csv", tmp_path / "train.csv", 300)
    for task in settings["tasks"].values():
        task["data"] = {key: task["data"][key] for key in ("text", "label")}
        task["data"]["train"] = "train.csv"
    (tmp_path / "streamer.yaml").write_text(yaml.safe_dump(settings))
    make_checkout(tmp_path)
    return tmp_path


def test_training_the_sample_leaves_git_clean(folder: Path) -> None:
    settings = load(folder / "streamer.yaml", {})
    trained = {worker.model for task in settings.tasks.values() for worker in task.workers}
    models = folder / "models_repo"
    assert {path.parent.name for path in models.glob("*/config.pbtxt")} == trained
    assert train.run(settings, what="workers") == 0
    assert {path.parents[1].name for path in models.glob("*/1/manifest.json")} == trained
    assert changes(folder) == []


def test_what_training_adds_is_ignored_and_nothing_else(folder: Path) -> None:
    models = folder / "models_repo"
    for repository, name in ((models, "mine"), (models / "judge", "intent")):
        with new_version(repository, name) as version:
            (version / "weights").touch()
            # As it is after a kill halfway.
            shutil.copytree(version, version.with_name(".draft-killed"))
    (models / "mine" / ".config.pbtxt.draft").touch()
    assert changes(folder) == []
    for name in ("config.pbtxt", "labels.txt", "notes.md"):
        (models / "mine" / name).touch()
    assert changes(folder) == [
        f"?? models_repo/mine/{name}" for name in ("config.pbtxt", "labels.txt", "notes.md")
    ]
