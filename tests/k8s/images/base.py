"""A stand-in for the images' base: no registry of images is needed to run the tests.

It is Debian's essential packages with the libraries of `python:3.11-slim-bookworm`, and under
/usr/local the Python that runs the tests: as that image has it, though not that image.
"""

import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

RELEASE = "bookworm"
NAME = f"localhost/streamer-tests-base:{platform.python_version()}-{RELEASE}"
PACKAGES = (
    "apt,ca-certificates,libbz2-1.0,libexpat1,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,"
    "libssl3,libuuid1,netbase,tzdata,zlib1g"
)
SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
_LEFT_OUT = ("site-packages", "test", "config-*", "__pycache__", "idlelib", "tkinter")


def make_base() -> str:
    """Its name; it is made once for a machine, in about a minute."""
    if subprocess.run(["podman", "image", "exists", NAME], check=False).returncode != 0:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "root"
            _debian(root)
            _python(root / "usr" / "local")
            _run("chroot", root, "/sbin/ldconfig")
            _run("chroot", root, "/usr/local/bin/python", "-m", "ensurepip")
            _run("tar", "-C", root, "-cf", f"{folder}/base.tar", ".")
            _run("podman", "import", f"{folder}/base.tar", NAME)
    return NAME


def _debian(root: Path) -> None:
    where = [SOURCES] if SOURCES.exists() else []
    _run("mmdebstrap", "--variant=essential", f"--include={PACKAGES}", RELEASE, root, *where)


def _python(target: Path) -> None:
    source = Path(sys.base_prefix)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (target / "bin").mkdir(exist_ok=True)
    shutil.copy2(source / "bin" / version, target / "bin")
    for name in ("python", "python3"):
        (target / "bin" / name).symlink_to(version)
    for library in (source / "lib").glob("libpython*"):
        shutil.copy2(library, target / "lib", follow_symlinks=False)
    ignored = shutil.ignore_patterns(*_LEFT_OUT)
    shutil.copytree(source / "lib" / version, target / "lib" / version, ignore=ignored)
    (target / "lib" / version / "site-packages").mkdir()


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
