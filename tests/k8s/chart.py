"""The chart, rendered or refused by the real Helm."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.k8s.go_tools import HELM

ROOT = Path(__file__).parents[2]
CHART = ROOT / "k8s" / "streamer"
PROFILES = ("values.yaml", "values-gpu-small.yaml", "values-gpu-large.yaml")

Object = dict[str, Any]


def helm(*arguments: str | Path, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [HELM.path, *arguments], capture_output=True, text=True, timeout=300, **options
    )


def rendered(*arguments: str | Path, profile: str = PROFILES[0]) -> list[Object]:
    """The objects that the chart makes in the namespace `labels` as the release `desk`."""
    values = ("--values", CHART / profile)
    done = helm("template", "desk", CHART, "--namespace", "labels", *values, *arguments)
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def refusal(*arguments: str | Path, profile: str = PROFILES[0]) -> str:
    """Why the chart refuses these values; it must."""
    done = helm("template", "desk", CHART, "--values", CHART / profile, *arguments)
    assert done.returncode != 0, "it was taken"
    return done.stderr


def one(objects: list[Object], kind: str, name: str) -> Object:
    """The object of this kind and name."""
    (found,) = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    return found


def streamer_yaml(objects: list[Object]) -> str:
    """The configuration that all services get."""
    data = one(objects, "ConfigMap", "desk-config")["data"]
    return str(data["streamer.yaml"])


def pod_specs(objects: list[Object]) -> list[Object]:
    """The pods that Deployments and Jobs make."""
    return [o["spec"]["template"]["spec"] for o in objects if o["kind"] in ("Deployment", "Job")]
