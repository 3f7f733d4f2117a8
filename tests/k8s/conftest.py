"""One control plane for the whole run."""

from collections.abc import Iterator

import pytest

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
