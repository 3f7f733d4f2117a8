"""Runs `streamer demo` as a stranger does, in a checkout of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.checkout import changes, make_checkout
from tests.stage import JUDGE_PYTHON, ROOT

_WITHIN_S = 2400


def demonstrated(folder: Path, *words: str) -> str:
    """What it printed; it must have ended well, and left what Git sees as it was."""
    shutil.copy(ROOT / "streamer.yaml", folder)
    for name in ("sample", "prompts"):
        shutil.copytree(ROOT / name, folder / name)
    make_checkout(folder)
    given = ["--config", str(folder / "streamer.yaml"), "--set", f"judge.python={JUDGE_PYTHON}"]
    done = subprocess.run(
        [sys.executable, "-m", "streamer.cli", "demo", *words, *given],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert changes(folder) == []
    return done.stdout
