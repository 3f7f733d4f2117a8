"""The demo as a stranger runs it, with a taught language model and the encoder beside it."""

import hashlib
import re
from pathlib import Path

import pytest

from streamer.dev.base_model import base_model
from streamer.judging.engine.model_folder import ModelFolder
from streamer.learn.artifacts.manifest import Manifest
from tests.slow.demonstrated import demonstrated
from tests.stage import JUDGE_PYTHON

pytestmark = pytest.mark.slow

# Of the weights that are made of the package's file, which has a hash of its own.
WEIGHTS = "7ef915c9bf9d94d8d70211970476878352a5b95855c589ae987916d7a455242b"
SHARE = r"(0\.\d{3}) \[[^\]]+\]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def report(folder: Path) -> str:
    return demonstrated(folder, "--judge", "llm")


def test_every_record_has_its_outcome(report: str) -> None:
    assert re.search(r"unaccounted for +0\b", report)


def test_the_judge_was_taught_on_the_model_that_we_know(report: str, folder: Path) -> None:
    base = ModelFolder.at(base_model(JUDGE_PYTHON))
    with (base.folder / "model.safetensors").open("rb") as weights:
        assert hashlib.file_digest(weights, "sha256").hexdigest() == WEIGHTS
    for task in ("intent", "sentiment"):
        manifest = Manifest.read(folder / "models_repo/judge/language-model/1" / task)
        assert manifest is not None
        assert manifest.recipe.base == base.digest


@pytest.mark.parametrize("task", ["intent", "sentiment"])
def test_both_judges_are_compared_on_the_same_tickets(report: str, task: str) -> None:
    rows = re.findall(rf"^ *{task} +(llm|classifier) +{SHARE}", report, re.MULTILINE)
    found = dict(rows)
    assert set(found) == {"llm", "classifier"}
    # Ten intents and three sentiments: far above chance, or it was taught nothing.
    assert float(found["llm"]) > 0.65
    assert float(found["classifier"]) > 0.8
