"""A folder as a Git checkout of its own."""

import shutil
import subprocess
from pathlib import Path

from tests.stage import ROOT

_AUTHOR = ("-c", "user.name=tests", "-c", "user.email=tests@invalid")


def make_checkout(folder: Path) -> None:
    """Commit what lies in the folder, with the model repository and the .gitignore of ours."""
    shutil.copy(ROOT / ".gitignore", folder)
    ignored = shutil.ignore_patterns("[0-9]*", "judge", ".*")
    shutil.copytree(ROOT / "models_repo", folder / "models_repo", ignore=ignored)
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    _git(folder, *_AUTHOR, "commit", "--quiet", "--message", "as it was")


def changes(folder: Path) -> list[str]:
    """The lines of `git status`, one for each file."""
    return _git(folder, "status", "--porcelain", "--untracked-files=all").splitlines()


def _git(folder: Path, *command: str) -> str:
    done = subprocess.run(
        ["git", *command], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout
