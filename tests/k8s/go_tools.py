"""The control plane of the chart's tests, built from Go modules into the user's cache folder.

`python -m tests.k8s.go_tools` builds what isn't there yet: about 20 minutes on two cores the first
time, nothing afterwards. The versions are pinned here; Go checks the sums of all modules itself.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streamer.dev.jars import user_cache

KUBERNETES = "v1.36.3"
# What Kubernetes keeps in its own tree is published as modules of the same number, from 0.
_STAGING = KUBERNETES.replace("v1.", "v0.")
_KUBERNETES_FLAGS = f"-X k8s.io/component-base/version.gitVersion={KUBERNETES}"
# What Helm takes for the cluster's version where it has no cluster.
_HELM_FLAGS = " ".join(
    f"-X helm.sh/helm/v3/{package}.k8sVersion{part}={number}"
    for package in ("pkg/chartutil", "pkg/lint/rules")
    for part, number in zip(("Major", "Minor"), KUBERNETES[1:].split("."), strict=False)
)


@dataclass(frozen=True, slots=True)
class GoTool:
    """One command: the module that it is in, its package there, and how it is linked."""

    name: str
    module: str
    version: str
    package: str
    ldflags: str = ""

    @property
    def path(self) -> Path:
        return _folder() / f"{self.name}-{self.version}"


@dataclass(frozen=True, slots=True)
class GoFiles:
    """Files of a module that the tests read: schemas of others, which are no part of ours."""

    name: str
    module: str
    version: str
    inside: str

    @property
    def path(self) -> Path:
        return _folder() / f"{self.name}-{self.version}"


def _of_kubernetes(name: str) -> GoTool:
    return GoTool(
        name, "k8s.io/kubernetes", KUBERNETES, f"k8s.io/kubernetes/cmd/{name}", _KUBERNETES_FLAGS
    )


APISERVER = _of_kubernetes("kube-apiserver")
CONTROLLERS = _of_kubernetes("kube-controller-manager")
SCHEDULER = _of_kubernetes("kube-scheduler")
KUBECTL = _of_kubernetes("kubectl")
ETCD = GoTool("etcd", "go.etcd.io/etcd/server/v3", "v3.6.8", "go.etcd.io/etcd/server/v3")
KWOK = GoTool("kwok", "sigs.k8s.io/kwok", "v0.8.0", "sigs.k8s.io/kwok/cmd/kwok")
HELM = GoTool("helm", "helm.sh/helm/v3", "v3.22.0", "helm.sh/helm/v3/cmd/helm", _HELM_FLAGS)
UNITTEST = GoTool(
    "helm-unittest",
    "github.com/helm-unittest/helm-unittest",
    "v1.1.2",
    "github.com/helm-unittest/helm-unittest/cmd/helm-unittest",
)
KUBECONFORM = GoTool(
    "kubeconform",
    "github.com/yannh/kubeconform",
    "v0.8.0",
    "github.com/yannh/kubeconform/cmd/kubeconform",
)
TOOLS = (HELM, KUBECONFORM, UNITTEST, ETCD, KWOK, APISERVER, CONTROLLERS, SCHEDULER, KUBECTL)

OPENAPI = GoFiles("openapi", "k8s.io/kubernetes", KUBERNETES, "api/openapi-spec/swagger.json")
KEDA_CRDS = GoFiles("keda-crds", "github.com/kedacore/keda/v2", "v2.21.0", "config/crd/bases")
PROMETHEUS_CRDS = GoFiles(
    "prometheus-crds",
    "github.com/prometheus-operator/prometheus-operator",
    "v0.85.0",
    "example/prometheus-operator-crd",
)
FILES = (OPENAPI, KEDA_CRDS, PROMETHEUS_CRDS)


def build_all() -> Iterator[str]:
    """Build and fetch what is missing; yields the name of each before its turn."""
    _folder().mkdir(parents=True, exist_ok=True)
    for files in FILES:
        if not files.path.exists():
            yield f"{files.name} {files.version}"
            _fetch(files)
    for tool in TOOLS:
        if not tool.path.exists():
            yield f"{tool.name} {tool.version}"
            _build(tool)


def _folder() -> Path:
    return user_cache() / "go-tools"


def _fetch(files: GoFiles) -> None:
    source = Path(_downloaded(files.module, files.version)["Dir"]) / files.inside
    with tempfile.TemporaryDirectory(dir=_folder()) as draft:
        copy = Path(draft) / "copy"
        if source.is_dir():
            # Go's module cache is read-only, also for its owner: only the contents are wanted.
            copy.mkdir()
            for file in source.iterdir():
                shutil.copyfile(file, copy / file.name)
        else:
            shutil.copyfile(source, copy)
        copy.rename(files.path)


def _build(tool: GoTool) -> None:
    with tempfile.TemporaryDirectory(dir=_folder()) as draft:
        _go("mod", "init", "build", folder=draft)
        _go("mod", "edit", f"-require={tool.module}@{tool.version}", folder=draft)
        for old, new in _replacements(tool):
            _go("mod", "edit", f"-replace={old}={new}", folder=draft)
        flags = ["-mod=mod", "-trimpath", "-ldflags", f"-s -w {tool.ldflags}", "-o", "tool"]
        _go("build", *flags, tool.package, folder=draft)
        (Path(draft) / "tool").rename(tool.path)


def _replacements(tool: GoTool) -> Iterator[tuple[str, str]]:
    """What the module replaces in its own build; as a part of another, Go would ignore it."""
    go_mod = _downloaded(tool.module, tool.version)["GoMod"]
    for entry in json.loads(_go("mod", "edit", "-json", go_mod)).get("Replace") or []:
        old, new = entry["Old"]["Path"], entry["New"]
        if "Version" in new:
            yield old, f"{new['Path']}@{new['Version']}"
        elif new["Path"].startswith("./staging/"):
            yield old, f"{old}@{_STAGING}"


def _downloaded(module: str, version: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(_go("mod", "download", "-json", f"{module}@{version}"))
    return found


def _go(*arguments: str, folder: str | None = None) -> str:
    result = subprocess.run(
        ["go", *arguments],
        cwd=folder or tempfile.gettempdir(),
        env={**os.environ, "CGO_ENABLED": "0"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return result.stdout


if __name__ == "__main__":
    if shutil.which("go") is None:
        sys.exit("Go isn't installed, and the control plane is built by it: install 1.26 or newer")
    for name in build_all():
        print(f"building {name}", flush=True)
