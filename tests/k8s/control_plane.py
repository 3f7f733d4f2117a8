"""A real Kubernetes control plane on loopback: only its nodes are fakes, which run nothing."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from streamer.dev.child import Child, wait_until_ready
from streamer.dev.ports import LOOPBACK, free_port, is_served
from tests.k8s.go_tools import APISERVER, CONTROLLERS, ETCD, KUBECTL, KWOK, SCHEDULER
from tests.k8s.schemas import crds

STAGES = Path(__file__).parent / "stages.yaml"
_START_S = 180.0

Object = dict[str, Any]


class ControlPlane:
    """API server, controllers and scheduler with their etcd; everything ends with the block.

    Data, keys and logs lie in the folder `state`. All listeners are on loopback.
    """

    def __init__(self, state: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._state = state
        self._port = free_port()
        self._token = secrets.token_hex(16)
        self._children: list[Child] = []

    @property
    def kubeconfig(self) -> Path:
        return self._state / "kubeconfig"

    @property
    def environment(self) -> dict[str, str]:
        """What makes kubectl and Helm talk to this one; they keep nothing outside of its folder."""
        here = str(self._state)
        ours = {"KUBECONFIG": str(self.kubeconfig), "HOME": here, "XDG_CACHE_HOME": here}
        return {**os.environ, **ours}

    @property
    def pids(self) -> list[int]:
        return [child.pid for child in self._children if child.pid is not None]

    def __enter__(self) -> "ControlPlane":
        try:
            self._write_keys()
            self._start_api()
            self._start_others()
            self.apply(*crds())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def kubectl(
        self, *arguments: str, given: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """kubectl, with `given` as its input."""
        return subprocess.run(
            [KUBECTL.path, *arguments],
            input=given,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def done(self, *arguments: str, given: str | None = None) -> str:
        """What kubectl says; it must succeed."""
        answer = self.kubectl(*arguments, given=given)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def apply(self, *objects: Object) -> None:
        self.done("apply", "--server-side", "-f", "-", given=json.dumps(listed(objects)))

    def get(self, *arguments: str) -> list[Object]:
        """Objects of a kind: the arguments of `kubectl get`."""
        found = json.loads(self.done("get", *arguments, "--output=json"))
        items: list[Object] = found.get("items", [found])
        return items

    def namespace(self, name: str) -> str:
        """A new namespace, in which only pods of the restricted standard may run."""
        enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
        metadata = {"name": name, "labels": enforced}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        return name

    def node(self, name: str, zone: str = "a", **resources: str) -> None:
        """A fake node; underscores and double ones in resources stand for `.` and `/`."""
        more = {key.replace("__", "/").replace("_", "."): value for key, value in resources.items()}
        capacity = {"cpu": "64", "memory": "512Gi", "pods": "110", **more}
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": name,
                    "labels": {
                        "kubernetes.io/hostname": name,
                        "topology.kubernetes.io/zone": zone,
                        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
                    },
                    "annotations": {"kwok.x-k8s.io/node": "fake"},
                },
            }
        )
        status = {"status": {"capacity": capacity, "allocatable": capacity}}
        self.done("patch", "node", name, "--subresource=status", "--patch", json.dumps(status))

    def _write_keys(self) -> None:
        key = self._state / "accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        (self._state / "tokens.csv").write_text(f"{self._token},tests,1,system:masters\n")
        server = {"server": f"https://{LOOPBACK}:{self._port}", "insecure-skip-tls-verify": True}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": server}],
            "users": [{"name": "tests", "user": {"token": self._token}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
            "current-context": "tests",
        }
        self.kubeconfig.write_text(json.dumps(config))

    def _start_api(self) -> None:
        etcd = free_port()
        clients, peers = f"http://{LOOPBACK}:{etcd}", f"http://{LOOPBACK}:{free_port()}"
        self._start(
            ETCD.path,
            f"--data-dir={self._state / 'etcd'}",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",
            ready=lambda: is_served(etcd),
        )
        key = self._state / "accounts.key"
        self._start(
            APISERVER.path,
            f"--etcd-servers={clients}",
            f"--bind-address={LOOPBACK}",
            f"--secure-port={self._port}",
            f"--cert-dir={self._state / 'certificates'}",
            f"--service-account-issuer=https://{LOOPBACK}",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--token-auth-file={self._state / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--endpoint-reconciler-type=none",
            # So that it is the namespace's standard that refuses such a pod.
            "--allow-privileged=true",
            "--enable-priority-and-fairness=false",
            ready=lambda: self.kubectl("get", "--raw=/readyz").stdout == "ok",
        )

    def _start_others(self) -> None:
        kubeconfig = f"--kubeconfig={self.kubeconfig}"
        key = self._state / "accounts.key"
        self._start(
            CONTROLLERS.path,
            kubeconfig,
            f"--service-account-private-key-file={key}",
            "--leader-elect=false",
            "--secure-port=0",
            # Nobody renews the leases of nodes that aren't there.
            "--node-monitor-grace-period=10h",
        )
        self._start(SCHEDULER.path, kubeconfig, "--leader-elect=false", "--secure-port=0")
        annotated = "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake"
        self._start(
            KWOK.path, kubeconfig, f"--config={STAGES}", "--manage-all-nodes=false", annotated
        )

    def _start(self, program: Path, *arguments: str, ready: Any = lambda: True) -> None:
        log = self._state / f"{program.name}.log"
        child = Child([str(program), *arguments], log, env=self.environment)
        child.start()
        self._children.append(child)
        assert wait_until_ready(child, ready, _START_S), child.log_tail(40)

    def _stop(self) -> None:
        for child in reversed(self._children):
            child.stop()


def listed(objects: Iterable[Object]) -> Object:
    """Many objects as one."""
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}
