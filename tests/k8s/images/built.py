"""The images, built from their Dockerfiles by podman."""

import os
import ssl
import subprocess
import tempfile
from pathlib import Path

from tests.k8s.chart import ROOT
from tests.k8s.images.base import make_base
from tests.k8s.images.dockerfile import path_of

# What the chart calls them.
REPOSITORIES = {
    "app": "streamer",
    "judge": "streamer-judge",
    "models": "streamer-models",
    "workers": "streamer-workers",
}

_CACHE = "/var/cache/uv"


def build(name: str, context: Path = ROOT, repository: str | None = None) -> str:
    """Build an image and return its reference; layers of earlier builds are used again."""
    reference = f"localhost/{repository or REPOSITORIES[name]}:0.1.0"
    with tempfile.TemporaryDirectory() as folder:
        command = ["podman", "build", "--pull=never", "--layers", "--network=host", "--quiet"]
        # Works where cgroups are of the old and the new kind at once, too.
        command += ["--isolation=chroot", f"--build-arg=PYTHON={make_base()}"]
        command += [f"--volume={source}:{target}" for source, target in _mounts(Path(folder))]
        command += [f"--file={path_of(name)}", f"--tag={reference}", str(context)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return reference


def _mounts(folder: Path) -> list[tuple[Path, str]]:
    """This machine's certificates, and what uv has fetched before; no part of the image."""
    certificates = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    inside = "/etc/ssl/certs/ca-certificates.crt"
    (folder / "pip.conf").write_text(f"[global]\ncert = {inside}\n")
    (folder / "uv.toml").write_text(f'native-tls = true\ncache-dir = "{_CACHE}"\n')
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "uv"
    cache.mkdir(parents=True, exist_ok=True)
    return [
        (Path(certificates), f"{inside}:ro"),
        (folder / "pip.conf", "/etc/pip.conf:ro"),
        (folder / "uv.toml", "/etc/uv/uv.toml:ro"),
        (cache, _CACHE),
    ]
