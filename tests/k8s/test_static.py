"""Helm's own lint, the chart's unit tests, and every object against the schema of its kind."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.k8s.chart import CHART, PROFILES, helm, rendered
from tests.k8s.go_tools import KUBECONFORM, KUBERNETES, UNITTEST
from tests.k8s.schemas import write_schemas

EVERYTHING = (
    "judge.keda.enabled=true,serviceMonitor.enabled=true,prometheusRule.enabled=true,"
    "dashboard.enabled=true,topics.mode=strimzi,topics.replication=3,monitor.token.secret=page"
)
VALUES = {
    **{profile: (profile, "classify.replicas=2") for profile in PROFILES},
    "everything": (PROFILES[0], EVERYTHING),
    "no network policies, topics by hand": (
        PROFILES[0],
        "networkPolicy.enabled=false,topics.mode=none",
    ),
    "a Triton of one's own": (
        PROFILES[0],
        "workers.enabled=false,config.triton.url=t:8001,networkPolicy.viewers[0].podSelector.matchLabels.a=b",
    ),
    "a judge behind an endpoint": (
        PROFILES[0],
        "config.judge.kind=endpoint,config.judge.endpoint.url=https://models.internal/v1,"
        "judge.key.secret=judge",
    ),
    "workers that ask an endpoint": (PROFILES[0], "workers.askEndpoint=true"),
    "segments of an image": (PROFILES[2], "segments.source=image,segments.subPath=a"),
    "segments of a store": (
        PROFILES[0],
        "segments.source=store,segments.store.image=copy,segments.store.command[0]=copy",
    ),
}


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    write_schemas(folder)
    return folder


@pytest.mark.parametrize("profile", PROFILES)
def test_lint_finds_nothing(profile: str) -> None:
    done = helm("lint", "--strict", CHART, "--values", CHART / profile)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 chart(s) linted, 0 chart(s) failed" in done.stdout


def test_a_package_renders_as_the_folder_does(package: Path, tmp_path: Path) -> None:
    given = ("--set", EVERYTHING)
    folder, packed = (
        helm("template", "desk", chart, *given, cwd=tmp_path) for chart in (CHART, package)
    )
    assert packed.returncode == 0, packed.stderr
    assert packed.stdout == folder.stdout
    assert packed.stderr == folder.stderr == ""


def test_the_unit_tests_pass() -> None:
    done = subprocess.run([UNITTEST.path, CHART], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert " 0 passed" not in done.stdout.split("Snapshot")[0]


@pytest.mark.parametrize("case", VALUES)
def test_every_object_is_one_of_its_kind(case: str, schemas: Path, tmp_path: Path) -> None:
    profile, given = VALUES[case]
    objects = rendered("--set", given, profile=profile)
    done = conform(objects, schemas, tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"{len(objects)} resources found" in done.stdout
    assert "Skipped: 0" in done.stdout


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ["spec", "template", "spec", "graceSeconds"], 5),
        ("ScaledObject", ["spec", "minReplicas"], 1),
        ("KafkaTopic", ["spec", "partitions"], "six"),
        ("ServiceMonitor", ["spec", "endpoint"], []),
        ("NetworkPolicy", ["spec", "egres"], []),
    ],
)
def test_a_wrong_field_is_found(
    kind: str, path: list[str], value: object, schemas: Path, tmp_path: Path
) -> None:
    objects = rendered("--set", EVERYTHING)
    place = next(found for found in objects if found["kind"] == kind)
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    done = conform(objects, schemas, tmp_path)
    assert done.returncode != 0
    assert path[-1] in done.stdout


def conform(
    objects: list[dict[str, object]], schemas: Path, folder: Path
) -> "subprocess.CompletedProcess[str]":
    file = folder / "objects.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    location = f"{schemas}/{{{{.ResourceKind}}}}-{{{{.Group}}}}-{{{{.ResourceAPIVersion}}}}.json"
    version = KUBERNETES.removeprefix("v")
    options = ["-strict", "-summary", "-kubernetes-version", version, "-schema-location", location]
    return subprocess.run(
        [KUBECONFORM.path, *options, file], capture_output=True, text=True, timeout=300
    )
