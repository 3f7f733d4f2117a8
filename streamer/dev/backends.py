"""The folder of backends that Triton wants: the wheel's Python backend, and our kinds beside it.

`python -P -m streamer.dev.backends FOLDER` makes it where an image is built; without -P its links
would lead into the sources beside it.
"""

import importlib.util
import shutil
import sys
from pathlib import Path

import streamer.backends
from streamer.errors import ConfigError

KINDS = Path(streamer.backends.__path__[0])


def wheel() -> Path:
    """Where the server's files lie; raises ConfigError where the wheel isn't installed."""
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        raise ConfigError(
            "the embedded Triton isn't installed: install the extra dev (streamer[dev]),"
            " or use a Triton that runs already: --triton host:port"
        )
    return Path(spec.origin).parent / "tritonserver"


def lay_out_backends(folder: Path, kinds: Path = KINDS) -> None:
    """Make `folder` anew: every folder of `kinds` with a model.py is a kind of worker."""
    shutil.rmtree(folder, ignore_errors=True)
    python = folder / "python"
    python.mkdir(parents=True)
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = wheel() / "python_backend_stubs" / minor / "triton_python_backend_stub"
    for file in [stub, *(wheel() / "backends" / "python").iterdir()]:
        if file.is_file():
            # Copied (2 MB): Triton refuses a library that a link puts outside of the folder.
            shutil.copy2(file, python)
    for model in kinds.glob("*/model.py"):
        kind = folder / model.parent.name
        kind.mkdir()
        (kind / "model.py").symlink_to(model)


if __name__ == "__main__":
    lay_out_backends(Path(sys.argv[1]))
