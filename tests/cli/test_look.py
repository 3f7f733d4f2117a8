"""Every verb looks alike, explains itself, and makes mistakes in one line."""

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.cli import main, parser
from tests.interrupting import interruptible
from tests.waiting import eventually

EXIT_CODES = {"0": "done", "1": "failed", "2": "wrong configuration or usage", "130": "interrupted"}


def verbs() -> dict[str, argparse.ArgumentParser]:
    (action,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def examples(verb: argparse.ArgumentParser) -> list[str]:
    title, *lines = (verb.epilog or "").splitlines() or [""]
    assert title == "examples:"
    return [line.strip() for line in lines]


@pytest.mark.parametrize("name", verbs())
def test_a_verb_says_what_it_is_for_and_shows_how(name: str) -> None:
    verb = verbs()[name]
    first = (verb.description or "").splitlines()[0]
    assert first.endswith(".")
    assert len(first) < 100
    assert examples(verb)
    for action in verb._actions:
        assert action.help, action.dest


@pytest.mark.parametrize(
    "command", [pytest.param(line, id=line) for verb in verbs().values() for line in examples(verb)]
)
def test_every_example_is_a_command(command: str) -> None:
    words = shlex.split(re.split(r" [|>] ", command)[0], comments=True)
    assert words.pop(0) == "streamer"
    assert parser().read(words).verb == words[0]


def test_the_help_lists_every_verb_once_and_the_exit_codes(capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    said = capsys.readouterr().out
    blocks = dict(re.findall(r"^([a-z ]+):\n((?:  .*\n?)+)", said, re.MULTILINE))
    listed = [line.split()[0] for name in ("set up", "run", "tickets", "learn")
              for line in blocks[name].splitlines()]  # fmt: skip
    assert sorted(listed) == sorted(verbs())
    codes = dict(line.strip().split(None, 1) for line in blocks["exit codes"].splitlines())
    assert codes == EXIT_CODES


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    (line,) = answer.err.splitlines()
    return line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chekc"], "there is no verb 'chekc'; did you mean check?"),
        (["xyz"], "there is no verb 'xyz'; use one of init, check"),
        (["tail", "--jsno"], "there is no option --jsno; did you mean --json?"),
        (["tail", "--cuont=3"], "there is no option --cuont=3; did you mean --count?"),
        (["tail", "--coun", "3"], "there is no option --coun; did you mean --count?"),
        (["train", "worker"], "there is no WHAT 'worker'; did you mean workers?"),
        (["replay", "l", "--mode", "hedge"], "there is no --mode 'hedge'; did you mean hedged?"),
        (["check", "now"], "'now' is too much: check takes nothing but options"),
        (
            ["backfill", "--from", "7d", "txtest"],
            "'txtest' is too much: backfill takes nothing but",
        ),
        (
            ["backfill", "--from", "7d", "txtest"],
            "stand behind --from WHEN, --to WHEN, --name NAME",
        ),
        (["send", "a.csv", "b.csv"], "'b.csv' is too much: send takes FILE; values stand behind"),
        (["send"], "the following arguments are required: FILE (see streamer send --help)"),
        (["tail", "--count", "x"], "argument --count: invalid int value: 'x'"),
        (["--verison"], "there is no option --verison; did you mean --version?"),
        (["init", "--labels", "a"], "'a' is no label set"),
        (["init", "--labels", "a,a"], "'a,a' is no label set"),
        (["init", "--task", "A b"], "'A b' is no task's name"),
        (["init", "--id", "id"], "'id' is no JSON pointer"),
        (["init", "--text", "/a,b"], "'b' is no JSON pointer"),
    ],
)
def test_a_mistake_is_one_line_with_what_was_meant(words: list[str], said: str, capsys) -> None:
    assert said in complaint(capsys, *words)


def test_without_a_verb_it_shows_the_help(capsys) -> None:
    assert main([]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert answer.err.startswith("usage: streamer VERB")


def test_without_a_configuration_it_says_how_to_get_one(tmp_path: Path, capsys) -> None:
    nowhere = tmp_path / "streamer.yaml"
    assert main(["check", "--config", str(nowhere)]) == 2
    assert capsys.readouterr().err == (
        f"there is no {nowhere}: run `streamer init`, or name your configuration with --config\n"
    )


@pytest.mark.parametrize("content", [b"\xff", b"a: [", b"a: 1\na: 2", b"", b"- a"])
def test_a_file_that_is_no_configuration_is_one_line(
    tmp_path: Path, content: bytes, capsys
) -> None:
    path = tmp_path / "streamer.yaml"
    path.write_bytes(content)
    assert main(["check", "--config", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}: ")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "streamer.cli", *words]


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    # More than a pipe holds, so that writing fails while the command still runs.
    script = (
        "import sys; from streamer.cli import main; import streamer.records.schema as s;"
        "s.schema = lambda name: {'x': 'y' * 1000000}; sys.exit(main(['schema', 'label']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 130


def test_ctrl_c_is_quiet(tmp_path: Path) -> None:
    waiting = tmp_path / "slow.jsonl"
    os.mkfifo(waiting)
    words = command("init", "--from-sample", str(waiting), "--topic", "t", "--labels", "a,b")
    with subprocess.Popen(
        words, stderr=subprocess.PIPE, cwd=tmp_path, preexec_fn=interruptible
    ) as process:
        # It can be opened for writing once the command reads it: that is when it works.
        assert eventually(lambda: opened(waiting))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


def opened(fifo: Path) -> bool:
    try:
        os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    return True
