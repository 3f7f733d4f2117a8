"""`streamer judge` goes on under judge.python, where that has an engine."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """
kafka: {start: earliest}
tasks: {mood: {labels: [bad, good], workers: [a, b]}}
judge: {python: ./python}
"""


def said(folder: Path, python: str | None) -> "subprocess.CompletedProcess[str]":
    """Of `streamer judge --try x`, with this script as judge.python."""
    (folder / "streamer.yaml").write_text(CONFIG)
    if python is not None:
        (folder / "python").write_text(f"#!/bin/sh\n{python}")
        (folder / "python").chmod(0o755)
    command = [sys.executable, "-m", "streamer.cli", "judge", "--try", "x"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_same_command_goes_on_there(tmp_path: Path) -> None:
    found = said(tmp_path, 'test "$1" = -c || { echo "$@"; exit 7; }')
    assert (found.returncode, found.stdout) == (7, "-m streamer.cli judge --try x\n")


@pytest.mark.parametrize(
    ("python", "words"),
    [("exit 1", "has no vLLM; run `make setup`"), (None, "can't be started (No such file")],
)
def test_one_without_an_engine_is_told(tmp_path: Path, python: str | None, words: str) -> None:
    found = said(tmp_path, python)
    assert (found.returncode, found.stdout) == (2, "")
    assert f"judge.python: {tmp_path}/python {words}" in found.stderr
