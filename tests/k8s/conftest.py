"""One control plane for the whole run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.k8s.chart import CHART, helm
from tests.k8s.control_plane import ControlPlane


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Three zones with a machine each, and no GPUs: add nodes and namespaces of your own."""
    with ControlPlane(tmp_path_factory.mktemp("cluster")) as plane:
        for zone in "abc":
            plane.node(f"machine-{zone}", zone)
        for name in ("labels-live", "labels-judged"):
            plane.apply(
                {
                    "apiVersion": "scheduling.k8s.io/v1",
                    "kind": "PriorityClass",
                    "metadata": {"name": name},
                    "value": 1000,
                }
            )
        yield plane


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart as one file, as people get it."""
    folder = tmp_path_factory.mktemp("package")
    packed = helm("package", CHART, "--destination", folder)
    assert packed.returncode == 0, packed.stderr
    (made,) = folder.iterdir()
    return made
