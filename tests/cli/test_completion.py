"""The completion scripts, run by the shells themselves."""

import builtins
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from streamer.cli import main, parser
from streamer.cli.completion import script

BASH = """
source {script}
complete -p streamer
COMP_WORDS=(streamer {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
_shtab_streamer
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ASKED = [
    ("''", {"check", "send", "tail", "train", "completion"}),
    ("ta", {"tail"}),
    ("tail --", {"--json", "--count", "--config", "--no-color"}),
    ("train wor", {"workers"}),
    ("completion ''", {"bash", "zsh", "fish"}),
    ("check --config streamer.y", {"streamer.yaml"}),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "streamer.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(name: str, code: str) -> str:
    assert shutil.which(name), f"{name} is not installed: run `make tools`"
    done = subprocess.run(
        [name, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(folder: Path, name: str) -> Path:
    path = folder / f"script.{name}"
    path.write_text(script(name, parser()))
    return path


@pytest.mark.parametrize(("words", "wanted"), ASKED)
def test_bash_completes(folder: Path, words: str, wanted: set[str]) -> None:
    said = shell("bash", BASH.format(script=written(folder, "bash"), words=words)).splitlines()
    assert said[0] == "complete -o bashdefault -F _shtab_streamer streamer"
    assert wanted <= set(said[1:])
    if not words.endswith("''"):
        assert all(word.startswith(words.split()[-1]) for word in said[1:])


@pytest.mark.parametrize(("words", "wanted"), ASKED)
def test_fish_completes(folder: Path, words: str, wanted: set[str]) -> None:
    line = words.replace("''", "")
    code = f"source {written(folder, 'fish')}; complete --do-complete 'streamer {line}'"
    said = shell("fish", code).splitlines()
    assert wanted <= {row.split("\t")[0] for row in said}


def test_zsh_finds_the_script_and_can_read_it(folder: Path) -> None:
    # Completion itself would need a terminal there.
    (folder / "_streamer").write_text(script("zsh", parser()))
    code = f"fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D; autoload +X _streamer"
    assert shell("zsh", code + "; print ${_comps[streamer]}; functions _streamer").startswith(
        "_streamer\n_streamer () {\n"
    )


def test_the_verb_prints_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    assert capsys.readouterr().out == script("bash", parser()) + "\n"


def test_where_the_maker_is_missing_one_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    really = builtins.__import__

    def without(name: str, *more: object, **others: object) -> object:
        if name == "shtab":
            raise ImportError(name)
        return really(name, *more, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["completion", "bash"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "needs the package shtab" in line
    assert os.linesep not in line
