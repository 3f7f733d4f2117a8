"""What every Dockerfile of ours holds to: hadolint's rules, and what hadolint doesn't know."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.k8s.chart import CHART, ROOT
from tests.k8s.images.dockerfile import NAMES, arguments, path_of, stages

HADOLINT = Path(sys.executable).with_name("hadolint")
RUNNING = tuple(name for name in NAMES if name != "models")
LOCKS = ROOT / "requirements"
BUILD_TOOLS = re.compile(r"\b(gcc|g\+\+|make|cmake|git|curl|wget|apt-get|uv|install\.sh)\b")


def pins(lock: Path) -> set[tuple[str, str]]:
    """The packages of a lock file with their versions."""
    return set(re.findall(r"^([a-z0-9.-]+)==(\S+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", NAMES)
def test_hadolint_finds_nothing(name: str) -> None:
    done = subprocess.run([HADOLINT, path_of(name)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_hadolint_finds_what_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM python:latest\nRUN cd /tmp && pip install numpy\nUSER root\n")
    done = subprocess.run([HADOLINT, wrong], capture_output=True, text=True, timeout=60)
    assert all(rule in done.stdout for rule in ("DL3007", "DL3003", "DL3013", "DL3002"))


@pytest.mark.parametrize("name", RUNNING)
def test_it_runs_as_the_charts_user(name: str) -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())["podSecurity"]
    users = [one.rest for one in stages(name)[-1] if one.word == "USER"]
    assert users == [f"{values['runAsUser']}:{values['fsGroup']}"]


@pytest.mark.parametrize("name", RUNNING)
def test_its_base_has_a_version_and_can_be_named_by_digest(name: str) -> None:
    bases = [stage[0].rest.split()[0] for stage in stages(name)]
    inner = {stage[0].rest.split()[-1] for stage in stages(name) if " AS " in stage[0].rest}
    assert set(bases) - inner == {"${PYTHON}"}
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", arguments(name)["PYTHON"])


@pytest.mark.parametrize("name", RUNNING)
def test_the_last_stage_builds_nothing_and_keeps_no_installer(name: str) -> None:
    last = stages(name)[-1]
    *libraries, uninstall = [one.rest for one in last if one.word == "RUN"]
    assert "pip uninstall" in uninstall
    assert not BUILD_TOOLS.search(uninstall)
    for run in libraries:
        installed = re.findall(r"install --yes --no-install-recommends (\S+) &&", run)
        assert set(installed) == {"libnuma1"}
        assert "rm -rf /var/lib/apt/lists/*" in run
    copied = [one.rest for one in last if one.word == "COPY"]
    assert copied
    assert all(re.fullmatch(r"--from=\w+ /opt/\w+ /opt/\w+", source) for source in copied)


@pytest.mark.parametrize("name", RUNNING)
def test_what_it_copies_is_there_and_not_ignored(name: str) -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = [line[1:] for line in ignore if line.startswith("!")]
    given = [
        one.rest.split()[:-1] for stage in stages(name)[:-1] for one in stage if "COPY" in one.word
    ]
    sources = [
        source.replace("${LOCK}", arguments(name).get("LOCK", ""))
        for one in given
        for source in one
    ]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(source == path or source.startswith(f"{path}/") for path in allowed), source


@pytest.mark.parametrize(
    ("image", "tested"), [("app", "app"), ("judge", "judge"), ("workers", "app")]
)
def test_an_image_has_the_versions_that_are_tested(image: str, tested: str) -> None:
    own, theirs = pins(LOCKS / "images" / f"{image}.txt"), pins(LOCKS / f"{tested}.txt")
    assert own
    assert own <= theirs
    assert "pytest" not in dict(own)


@pytest.mark.parametrize(
    ("image", "module"),
    [
        ("app", "streamer.services.classify.serve"),
        ("app", "streamer.services.monitor.serve"),
        ("workers", "streamer.backends.serving"),
        ("workers", "streamer.backends.remote_serving"),
    ],
)
def test_an_image_has_what_is_imported_in_it(image: str, module: str) -> None:
    ours = "m.__file__ for name, m in sys.modules.items() if name.startswith('streamer.')"
    code = f"import sys, {module}; print(*({ours}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    needed = {name for file in done.stdout.split() for name in imported(Path(file))}
    known, own = dict(pins(LOCKS / "app.txt")), dict(pins(LOCKS / "images" / f"{image}.txt"))
    assert "numpy" in needed
    assert needed & known.keys() <= own.keys()


def imported(file: Path) -> set[str]:
    """The packages that a module of ours needs as soon as it is imported."""
    found = set()
    for line in ast.parse(file.read_text()).body:
        if isinstance(line, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in line.names}
        elif isinstance(line, ast.ImportFrom):
            found.add((line.module or "").partition(".")[0])
    return found


def test_every_lock_is_whole_and_names_no_address() -> None:
    for lock in (LOCKS / "images").glob("*.txt"):
        text = lock.read_text()
        assert text.count(" \\\n    --hash=sha256:") >= len(pins(lock)) > 0
        assert "://" not in text
