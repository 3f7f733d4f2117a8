"""The client runs where nothing but the base dependencies is installed."""

import asyncio
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from streamer.dev.kafka import Kafka
from tests.client.making import at
from tests.client.test_labels import topic_of

ROOT = Path(__file__).parents[2]
SCRIPT = """
import asyncio, sys
from contextlib import aclosing
from importlib.metadata import distributions
from streamer.client import labels

async def main(bootstrap, topic):
    async with aclosing(labels(bootstrap, topic=topic, group="clean")) as found:
        print((await anext(found)).label)

asyncio.run(main(*sys.argv[1:]))
print(*sorted(one.name for one in distributions()))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the base dependencies alone."""
    base = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    assert uv is not None
    folder = tmp_path_factory.mktemp("clean") / "venv"
    made = folder / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(made), *base],
    ):
        subprocess.run(command, check=True, capture_output=True)
    # By a path file, since an editable install would rewrite the metadata of this very checkout.
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "streamer.pth").write_text(f"{ROOT}\n")
    return made


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # Elsewhere than in the checkout, whose folder Python would look into.
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)


async def test_labels_are_read_with_aiokafka_and_orjson_alone(kafka: Kafka, python: Path) -> None:
    topic = await topic_of(kafka.bootstrap, at(1))
    command = [str(python), "-c", SCRIPT, kafka.bootstrap, topic]
    done = await asyncio.to_thread(run, command, python.parent)
    assert done.returncode == 0, done.stderr
    label, names = done.stdout.splitlines()
    assert label == "billing"
    assert "pydantic" not in names.split()
    assert "numpy" not in names.split()


def test_the_rest_of_the_package_does_not_run_there(python: Path) -> None:
    command = [str(python), "-c", "import streamer.config"]
    assert "ModuleNotFoundError" in run(command, python.parent).stderr
