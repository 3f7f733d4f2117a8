"""The chart's memory limits have room for what the configuration lets classify hold."""

from pathlib import Path

import pytest
import yaml

from streamer.config.load import load
from tests.memory_need import classify_bytes

CHART = Path(__file__).resolve().parents[3] / "k8s" / "streamer"
UNITS = {"Mi": 2**20, "Gi": 2**30}


@pytest.mark.parametrize(
    "values", ["values.yaml", "values-gpu-small.yaml", "values-gpu-large.yaml"]
)
def test_the_limit_of_the_pod_has_room_for_the_bound_and_a_quarter_more(values: str) -> None:
    classify: dict[str, object] = {}
    for name in ("values.yaml", values):
        classify |= yaml.safe_load((CHART / name).read_text()).get("classify", {})
    resources = classify["resources"]
    assert isinstance(resources, dict)
    limit = resources["limits"]["memory"]
    flow = load(CHART / "files" / "streamer.yaml").classify.flow
    assert 1.25 * classify_bytes(flow.max_bytes) <= int(limit[:-2]) * UNITS[limit[-2:]]
