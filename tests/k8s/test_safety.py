"""What the control plane itself holds back: evictions, and pods that may do more than ours."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.k8s.chart import one, rendered
from tests.k8s.control_plane import ControlPlane
from tests.k8s.release import Release
from tests.waiting import eventually


def evict(release: Release, pod: str) -> Any:
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": release.namespace},
    }
    path = f"/api/v1/namespaces/{release.namespace}/pods/{pod}/eviction"
    return release.kubectl("create", "--raw", path, "-f", "-", given=json.dumps(eviction))


def test_a_second_eviction_waits_until_the_first_pod_is_replaced(cluster: ControlPlane) -> None:
    release = Release(cluster, "evictions")
    release.install("--set", "classify.replicas=3")
    first, second, _ = sorted(pod["metadata"]["name"] for pod in release.pods("classify"))
    nodes = [node["metadata"]["name"] for node in cluster.get("nodes")]
    cluster.done("cordon", *nodes)
    try:
        assert eventually(lambda: evict(release, first).returncode == 0)
        assert eventually(lambda: release.phases("classify") == ["Pending", "Running", "Running"])
        refused = evict(release, second)
        assert refused.returncode != 0
        assert "would violate the pod's disruption budget" in refused.stderr
    finally:
        cluster.done("uncordon", *nodes)
    assert eventually(lambda: release.phases("classify") == ["Running"] * 3)
    assert eventually(lambda: evict(release, second).returncode == 0)


def container(pod: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod["containers"][0]["securityContext"]
    return found


WEAKER: dict[str, Callable[[dict[str, Any]], object]] = {
    "runAsNonRoot != true": lambda pod: pod["securityContext"].update(runAsNonRoot=False),
    "runAsUser=0": lambda pod: pod["securityContext"].update(runAsUser=0),
    "seccompProfile": lambda pod: pod["securityContext"].pop("seccompProfile"),
    "unrestricted capabilities": lambda pod: container(pod).pop("capabilities"),
    "allowPrivilegeEscalation != false": lambda pod: container(pod).pop("allowPrivilegeEscalation"),
    "privileged": lambda pod: container(pod).update(privileged=True, allowPrivilegeEscalation=True),
    "host namespaces": lambda pod: pod.update(hostNetwork=True),
    "restricted volume types": lambda pod: pod["volumes"].append(
        {"name": "host", "hostPath": {"path": "/"}}
    ),
}


@pytest.mark.parametrize("component", ["classify", "judge", "monitor", "table", "workers"])
def test_its_pods_are_restricted_ones(component: str, cluster: ControlPlane) -> None:
    answer = try_pod(cluster, pod_of(component))
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("what", WEAKER)
def test_a_pod_that_may_more_is_refused(what: str, cluster: ControlPlane) -> None:
    spec = pod_of("workers")
    WEAKER[what](spec)
    answer = try_pod(cluster, spec)
    assert answer.returncode != 0
    assert 'violates PodSecurity "restricted:latest"' in answer.stderr
    assert what in answer.stderr


def pod_of(component: str) -> dict[str, Any]:
    spec = one(rendered(), "Deployment", f"desk-{component}")["spec"]["template"]["spec"]
    # The account is the release's own, which isn't installed here.
    return {**copy.deepcopy(spec), "serviceAccountName": "default"}


def try_pod(cluster: ControlPlane, spec: dict[str, Any]) -> Any:
    namespace = cluster.namespace("restricted")
    account = ("get", "serviceaccount", "default", "--namespace", namespace)
    assert eventually(lambda: cluster.kubectl(*account).returncode == 0)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec}
    dry = ("apply", "--dry-run=server", "--namespace", namespace, "-f", "-")
    return cluster.kubectl(*dry, given=json.dumps(pod))
