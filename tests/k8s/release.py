"""The chart as one release on the control plane, by the real Helm."""

import subprocess
from pathlib import Path
from typing import Any

from tests.k8s.chart import CHART, PROFILES, Object, helm
from tests.k8s.control_plane import ControlPlane

NAME = "desk"
_WITHIN = "150s"


class Release:
    """What `helm install` makes of the chart, a folder or a package, in a namespace of its own."""

    def __init__(
        self,
        cluster: ControlPlane,
        namespace: str,
        profile: str = PROFILES[0],
        chart: Path = CHART,
    ) -> None:
        self.cluster = cluster
        self._chart = str(chart)
        self.namespace = cluster.namespace(namespace)
        self._values = ("--values", str(CHART / profile))

    def install(self, *arguments: str, wait: bool = True) -> None:
        done(self.helm("install", NAME, self._chart, *self._values, *arguments, wait=wait))

    def upgrade(self, *arguments: str) -> None:
        """Install with other values; they are the whole of what differs from the profile."""
        done(self.helm("upgrade", NAME, self._chart, *self._values, *arguments, wait=True))

    def rollback(self) -> None:
        done(self.helm("rollback", NAME, wait=True))

    def uninstall(self) -> None:
        done(self.helm("uninstall", NAME, wait=True))

    def helm(self, *arguments: str, wait: bool) -> "subprocess.CompletedProcess[str]":
        waiting = ("--wait", "--timeout", _WITHIN) if wait else ()
        where = ("--namespace", self.namespace)
        return helm(*arguments, *waiting, *where, env=self.cluster.environment)

    def get(self, *arguments: str) -> list[Object]:
        """Objects of the namespace: the arguments of `kubectl get`."""
        return self.cluster.get("--namespace", self.namespace, *arguments)

    def kubectl(self, *arguments: str, given: str | None = None) -> Any:
        return self.cluster.kubectl("--namespace", self.namespace, *arguments, given=given)

    def deployment(self, component: str) -> Object:
        (found,) = self.get("deployment", f"{NAME}-{component}")
        return found

    def pods(self, component: str) -> list[Object]:
        """Those of a component that aren't being ended."""
        found = self.get("pods", "--selector", f"app.kubernetes.io/component={component}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def phases(self, component: str) -> list[str]:
        return sorted(pod["status"]["phase"] for pod in self.pods(component))


def done(answer: "subprocess.CompletedProcess[str]") -> None:
    """Helm's answer; it must have succeeded."""
    assert answer.returncode == 0, answer.stderr
