"""Pods that ask for GPUs, on fake nodes that have some."""

import json

from tests.k8s.chart import PROFILES
from tests.k8s.control_plane import ControlPlane
from tests.k8s.release import NAME, Release
from tests.waiting import eventually

JUDGES = "judge.gpu.count=1,judge.gpu.resource=tests.example/gpu-{},judge.replicas={}"


def give(cluster: ControlPlane, kind: str, count: int) -> None:
    """Nodes with one GPU each, of a kind that no other test asks for."""
    for number in range(count):
        cluster.node(f"gpu-{kind}-{number}", **{f"tests_example__gpu-{kind}": "1"})


def tenant(release: Release, resource: str) -> None:
    """Somebody else's pod that has a GPU."""
    secure = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "tenant",
        "image": "tenant",
        "resources": {"limits": {resource: "1"}},
        "securityContext": secure,
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "tenant", "namespace": release.namespace},
        "spec": {
            "containers": [container],
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        },
    }
    release.cluster.apply(pod)
    assert eventually(lambda: release.get("pod", "tenant")[0]["status"]["phase"] == "Running")


def test_a_judge_waits_for_a_gpu_and_starts_when_one_is_freed(cluster: ControlPlane) -> None:
    give(cluster, "freed", 2)
    release = Release(cluster, "freed")
    tenant(release, "tests.example/gpu-freed")
    release.install("--set", JUDGES.format("freed", 2), wait=False)
    assert eventually(lambda: release.phases("judge") == ["Pending", "Running"])
    (waiting,) = [pod for pod in release.pods("judge") if pod["status"]["phase"] == "Pending"]

    def said() -> str:
        (pod,) = release.get("pod", waiting["metadata"]["name"])
        return str(pod["status"].get("conditions", ""))

    assert eventually(lambda: "Insufficient tests.example/gpu-freed" in said()), said()
    assert release.kubectl("delete", "pod", "tenant").returncode == 0
    assert eventually(lambda: release.phases("judge") == ["Running", "Running"])


def test_a_new_version_of_the_judge_needs_no_spare_gpu(cluster: ControlPlane) -> None:
    give(cluster, "spare", 2)
    release = Release(cluster, "spare")
    release.install("--set", JUDGES.format("spare", 2))
    release.upgrade("--set", JUDGES.format("spare", 2), "--set", "judge.image.tag=v2")
    images = {pod["spec"]["containers"][0]["image"] for pod in release.pods("judge")}
    assert images == {"streamer-judge:v2"}
    # A pod more than there are GPUs would hang: the control of what was shown just now.
    surge = {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}}
    patch = ("patch", "deployment", f"{NAME}-judge", "--patch", json.dumps(surge))
    assert release.kubectl(*patch).returncode == 0
    assert release.kubectl("set", "image", f"deployment/{NAME}-judge", "judge=x:3").returncode == 0
    assert eventually(lambda: release.phases("judge") == ["Pending", "Running", "Running"])


def test_the_large_profile_finds_its_zones_slices_and_cards(cluster: ControlPlane) -> None:
    for zone in "abc":
        slices = {"nvidia_com__mig-1g_10gb": "2", "nvidia_com__gpu": "2"}
        cluster.node(f"large-{zone}", zone, **slices)
    cluster.namespace("kafka")
    release = Release(cluster, "large", PROFILES[2])
    release.install()
    zones = {
        node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"]
        for node in cluster.get("nodes")
    }
    spread = [zones[pod["spec"]["nodeName"]] for pod in release.pods("classify")]
    assert sorted(spread) == list("aaabbbccc")
    assert release.phases("workers") == ["Running"] * 6
    assert {pod["spec"]["nodeName"] for pod in release.pods("workers")} == {
        "large-a",
        "large-b",
        "large-c",
    }
    (scaled,) = release.get("scaledobjects")
    assert scaled["spec"]["maxReplicaCount"] == 8
    topics = cluster.get("kafkatopics", "--namespace", "kafka")
    # What KEDA would do.
    assert release.kubectl("scale", "deployment", f"{NAME}-judge", "--replicas=7").returncode == 0
    assert eventually(lambda: release.phases("judge") == ["Pending"] + ["Running"] * 6)
    release.uninstall()
    kept = cluster.get("kafkatopics", "--namespace", "kafka")
    assert {topic["metadata"]["name"] for topic in kept} == {
        topic["metadata"]["name"] for topic in topics
    }
