"""One pod of the chart, run for real by podman as its spec says."""

import re
import subprocess
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc

from streamer.dev.child import Child
from streamer.dev.ports import LOOPBACK
from tests.k8s.chart import Object

# Other runtimes and managers ask for cgroups of one kind, and some machines have both kinds.
PODMAN = ("podman", "--runtime=runc", "--cgroup-manager=cgroupfs")
# Podman's own are higher than what some machines may give.
LIMITS = ("--ulimit=nofile=4096:4096", "--ulimit=nproc=8192:8192")
SERVING = b"\x08\x01"


class Pod:
    """The only container of a pod: its user, its read-only root, its volumes and its probes.

    `objects` are the chart's, for ConfigMaps; `hosts` are names that lead to loopback.
    """

    def __init__(
        self, spec: Object, objects: Sequence[Object], folder: Path, hosts: Sequence[str]
    ) -> None:
        (self.container,) = spec["containers"]
        self.name = f"streamer-{self.container['name']}-{uuid.uuid4().hex[:8]}"
        self._spec, self._hosts, self._folder = spec, hosts, folder / self.name
        self._maps = {o["metadata"]["name"]: o["data"] for o in objects if o["kind"] == "ConfigMap"}
        self._folder.mkdir()
        # Where the container is killed for memory, podman leaves a file in its working folder.
        self.child = Child(self._command(), self._folder / "log", cwd=self._folder)

    @property
    def log(self) -> str:
        """The end of what it wrote."""
        return self.child.log_tail(60)

    @property
    def pid(self) -> int:
        """That of its first process, as this machine numbers them; the container must run."""
        return int(_podman("inspect", "--format", "{{.State.Pid}}", self.name))

    def start(self) -> None:
        self.child.start()

    def stop(self) -> int | None:
        """SIGTERM, as kubelet does; the exit code, or None where it is killed after its grace."""
        _podman(
            "stop",
            "--ignore",
            "--time",
            str(self._spec.get("terminationGracePeriodSeconds", 30)),
            self.name,
        )
        self.child.wait(30)
        return self.child.returncode

    def passes(self, probe: str) -> bool:
        """Whether a probe of the container succeeds now; the container must run."""
        assert self.child.running, f"{self.name} ended with {self.child.returncode}:\n{self.log}"
        asked = self.container[probe]
        if "exec" in asked:
            return self.run(*asked["exec"]["command"]).returncode == 0
        if "grpc" in asked:
            return _serves(asked["grpc"]["port"])
        get = asked["httpGet"]
        return _answers(f"http://{LOOPBACK}:{self._port(get['port'])}{get['path']}")

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """A command in the container."""
        return subprocess.run(
            [*PODMAN, "exec", self.name, *command], capture_output=True, text=True, timeout=120
        )

    def _port(self, name: str | int) -> int:
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        return int(ports.get(name, name))

    def _command(self) -> list[str]:
        container = self.container
        command = [*PODMAN, "run", "--rm", "--name", self.name, "--pull=never", "--network=host"]
        command += [*LIMITS, f"--memory={_bytes(container['resources']['limits']['memory'])}"]
        command += self._security()
        command += [f"--add-host={host}:{LOOPBACK}" for host in self._hosts]
        environment = {one["name"]: self._value(one) for one in container.get("env", [])}
        command += [f"--env={name}={value}" for name, value in environment.items()]
        command += [f"--workdir={container['workingDir']}", *self._volumes()]
        words = [_expanded(word, environment) for word in container.get("args", [])]
        if entry := container.get("command"):
            command += [f"--entrypoint={entry[0]}"]
            words = [*entry[1:], *words]
        return [*command, f"localhost/{container['image']}", *words]

    def _security(self) -> list[str]:
        pod, own = self._spec["securityContext"], self.container["securityContext"]
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}, "podman's own is like it"
        options = [
            f"--user={pod['runAsUser']}:{pod['runAsGroup']}",
            f"--group-add={pod['fsGroup']}",
        ]
        options += [f"--cap-drop={one}" for one in own["capabilities"]["drop"]]
        if own["readOnlyRootFilesystem"]:
            options += ["--read-only", "--read-only-tmpfs=false"]
        if not own["allowPrivilegeEscalation"]:
            options += ["--security-opt=no-new-privileges"]
        return options

    def _value(self, variable: Mapping[str, Any]) -> str:
        if "value" in variable:
            return str(variable["value"])
        assert variable["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.uid"}}
        return str(uuid.uuid4())

    def _volumes(self) -> list[str]:
        volumes = {volume["name"]: volume for volume in self._spec["volumes"]}
        return [
            option
            for mount in self.container["volumeMounts"]
            for option in self._mounted(volumes[mount["name"]], mount)
        ]

    def _mounted(self, volume: Object, mount: Object) -> list[str]:
        inside = mount["mountPath"]
        if "emptyDir" in volume and volume["emptyDir"].get("medium") == "Memory":
            size = _bytes(volume["emptyDir"]["sizeLimit"])
            return [f"--mount=type=tmpfs,destination={inside},tmpfs-size={size},tmpfs-mode=1777"]
        source = self._source(volume) / mount.get("subPath", "")
        assert source.is_dir(), source
        return [f"--volume={source}:{inside}{':ro' if mount.get('readOnly') else ''}"]

    def _source(self, volume: Object) -> Path:
        if "image" in volume:
            reference = f"localhost/{volume['image']['reference']}"
            return Path(_podman("image", "mount", reference).strip())
        folder = self._folder / str(volume["name"])
        folder.mkdir(exist_ok=True)
        if "configMap" in volume:
            for name, text in self._maps[volume["configMap"]["name"]].items():
                (folder / name).write_text(text)
        else:
            folder.chmod(0o777)
        return folder


def _bytes(quantity: str) -> str:
    """A quantity of Kubernetes as podman wants it: 512Mi is 512m."""
    return quantity.lower().removesuffix("i")


def _expanded(word: str, environment: Mapping[str, str]) -> str:
    """With $(NAME) replaced, as Kubernetes does in args."""
    return re.sub(r"\$\((\w+)\)", lambda found: environment[found[1]], word)


def _serves(port: int) -> bool:
    with grpc.insecure_channel(f"{LOOPBACK}:{port}") as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        try:
            return bool(check(b"", timeout=3) == SERVING)
        except grpc.RpcError:
            return False


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return bool(answer.status < 400)
    except OSError:
        return False


def _podman(*arguments: str) -> str:
    done = subprocess.run([*PODMAN, *arguments], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout
