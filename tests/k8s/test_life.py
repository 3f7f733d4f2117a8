"""Installed, upgraded, rolled back and uninstalled on a real control plane, each with --wait."""

import json
from pathlib import Path

import pytest
import yaml

from tests.k8s.chart import PROFILES, ROOT, rendered
from tests.k8s.control_plane import ControlPlane, listed
from tests.k8s.release import NAME, Release
from tests.waiting import eventually

COMPONENTS = ("classify", "judge", "monitor", "table", "workers")
REVISION = "deployment.kubernetes.io/revision"
KINDS = "deployments,pods,services,configmaps,serviceaccounts,pdb,networkpolicies,jobs"


def generations(release: Release) -> dict[str, str]:
    """How often each component's pods were described anew."""
    return {
        name: release.deployment(name)["metadata"]["annotations"][REVISION] for name in COMPONENTS
    }


def rolled(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in COMPONENTS if before[name] != after[name]}


def test_a_packed_release_lives_and_leaves_nothing(cluster: ControlPlane, package: Path) -> None:
    release = Release(cluster, "life", chart=package)
    release.install()
    for component in COMPONENTS:
        assert release.phases(component) == ["Running"]
    first = generations(release)

    release.upgrade("--set", "image.tag=v2")
    assert rolled(first, generations(release)) == {"classify", "monitor", "table"}
    assert image(release, "classify") == "streamer:v2"

    release.rollback()
    assert image(release, "classify") == "streamer:0.1.0"

    release.uninstall()
    mine = ("--selector", f"app.kubernetes.io/instance={NAME}")
    assert eventually(lambda: release.get(KINDS, *mine) == [])


def image(release: Release, component: str) -> str:
    pod = release.deployment(component)["spec"]["template"]["spec"]
    return str(pod["containers"][0]["image"])


def test_another_configuration_starts_again_who_reads_it(cluster: ControlPlane) -> None:
    release = Release(cluster, "configuration")
    release.install()
    before = generations(release)
    release.upgrade("--set", "config.audit.share=0.02")
    # Triton reads no streamer.yaml.
    assert rolled(before, generations(release)) == {"classify", "judge", "monitor", "table"}


def test_a_new_label_set_reaches_the_judges_first_and_once(
    cluster: ControlPlane, tmp_path: Path
) -> None:
    sample = yaml.safe_load((ROOT / "streamer.yaml").read_text())
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    sample["kafka"]["bootstrap"] = "kafka:9092"
    old.write_text(yaml.safe_dump(sample))
    sample["tasks"]["intent"]["labels"].append("outage")
    new.write_text(yaml.safe_dump(sample))
    release = Release(cluster, "label-set")
    release.install("--set-file", f"configFile={old}")
    before = generations(release)

    release.upgrade("--set-file", f"configFile={old},judge.configFile={new}")
    judges_first = generations(release)
    assert rolled(before, judges_first) == {"judge"}

    release.upgrade("--set-file", f"configFile={new}")
    assert rolled(judges_first, generations(release)) == {"classify", "monitor", "table"}


def test_another_version_of_the_segments_and_back_leaves_the_judges_alone(
    cluster: ControlPlane,
) -> None:
    mounted = "segments.source=image,config.tasks.intent.segments=/segments/{}"
    release = Release(cluster, "segments")
    release.install("--set", mounted.format(1))
    before = generations(release)
    release.upgrade("--set", mounted.format(2))
    assert rolled(before, generations(release)) == {"classify", "monitor", "table"}
    assert segments(release) == "/segments/2"

    release.rollback()
    assert rolled(before, generations(release)) == {"classify", "monitor", "table"}
    assert segments(release) == "/segments/1"


def segments(release: Release) -> str:
    (found,) = release.get("configmap", f"{NAME}-config")
    return str(yaml.safe_load(found["data"]["streamer.yaml"])["tasks"]["intent"]["segments"])


@pytest.mark.parametrize("profile", PROFILES)
def test_the_api_server_takes_every_object(profile: str, cluster: ControlPlane) -> None:
    for namespace in ("labels", "kafka"):
        cluster.namespace(namespace)
    objects = rendered(profile=profile)
    for made in objects:
        made["metadata"].setdefault("namespace", "labels")
    dry = ("apply", "--server-side", "--dry-run=server", "--force-conflicts", "--filename=-")
    strict = ("--validate=strict", "--warnings-as-errors")
    answer = cluster.kubectl(*dry, *strict, given=json.dumps(listed(objects)))
    assert answer.returncode == 0, answer.stderr


def test_a_configuration_that_is_wrong_changes_nothing(cluster: ControlPlane) -> None:
    # In this namespace every job fails, as `streamer topics` does with such a file.
    release = Release(cluster, "jobs-fail")
    release.install("--set", "topics.mode=none")
    before = generations(release)
    answer = release.helm(
        "upgrade", NAME, str(ROOT / "k8s" / "streamer"), "--set", "image.tag=v2", wait=True
    )
    assert answer.returncode != 0
    assert "pre-upgrade hooks failed" in answer.stderr
    assert generations(release) == before
