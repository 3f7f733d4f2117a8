"""The chart's pods, on images built from our Dockerfiles, beside a real Kafka."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from streamer.dev.kafka import Kafka
from tests.k8s.chart import ROOT
from tests.k8s.images.base import make_base
from tests.k8s.images.built import build
from tests.k8s.pods.desk import Desk
from tests.k8s.pods.network import own_network
from tests.k8s.segments import write_version
from tests.stage import part_of

# A part of the sample trains in seconds, and its labels are those of the chart's configuration.
_ROWS = 600


@pytest.fixture(scope="package")
def images(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All that the chart names: what is in them is trained and built here."""
    folder = tmp_path_factory.mktemp("models")
    make_base()
    with ThreadPoolExecutor(1) as pool:
        # The first time this takes minutes, most of them for writing 7 GB.
        judge = pool.submit(build, "judge")
        _train(folder)
        build("models", folder / "models_repo")
        _segments(folder / "segments")
        build("app")
        build("workers")
        judge.result()


def _segments(folder: Path) -> None:
    write_version(folder / "1")
    (folder / ".dockerignore").write_text("**/report.html\n")
    build("models", folder, "streamer-segments")


def _train(folder: Path) -> None:
    settings = yaml.safe_load((ROOT / "streamer.yaml").read_text())
    part_of(ROOT / "sample" / "helpdesk.train.csv", folder / "train.csv", _ROWS)
    for task in settings["tasks"].values():
        task["data"] |= {"train": "train.csv", "test": str(ROOT / "sample/helpdesk.test.csv")}
        del task["data"]["calibrate"]
    settings["judge"] = {"python": str(ROOT / ".venv-judge/bin/python")}
    config = folder / "streamer.yaml"
    config.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "streamer.cli", "train", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="package")
def desk(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The release `desk` with the chart's defaults and segments: one pod of each, and Kafka under
    its name.
    """
    folder = tmp_path_factory.mktemp("desk")
    with own_network(), Kafka(folder / "kafka", port=9092) as kafka, Desk(folder, kafka) as made:
        yield made
