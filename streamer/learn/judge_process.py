"""Runs the judge's training under the judge's interpreter."""

import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import orjson

from streamer.errors import ConfigError, ModelError
from streamer.learn.judge.order import TrainingOrder
from streamer.learn.manifest import Manifest

Progress = Callable[[str, int, int], None]
"""Called with the task, how many of its texts are embedded, and how many there are."""

_WRONG_ORDER = 2


class JudgeProcess:
    """The judge's environment, which has the encoder and excludes the application's packages."""

    def __init__(self, python: Path) -> None:
        self._python = python

    def run(self, order: TrainingOrder, progress: Progress) -> dict[str, Manifest]:
        """Train as ordered; manifests by task. Raises `ConfigError` or `ModelError`."""
        with self._start() as process:
            assert process.stdin is not None  # a pipe, as asked for in _start
            assert process.stdout is not None
            assert process.stderr is not None
            try:
                process.stdin.write(order.to_json())
                process.stdin.close()
                made = _follow(process.stdout, progress)
                said = process.stderr.read().decode(errors="replace").strip()
            except BaseException:
                # Asked to stop: it would go on alone for minutes.
                process.kill()
                raise
        if process.returncode == _WRONG_ORDER:
            raise ConfigError(said)
        if process.returncode:
            raise ModelError(f"training the judge failed; its last words:\n{said[-2000:]}")
        return made

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [str(self._python), "-m", "streamer.learn.judge"]
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        except OSError as error:
            raise ConfigError(
                f"judge.python: {self._python} can't be started ({error.strerror}); run "
                "`make setup`, or name the interpreter of the judge's environment"
            ) from None


def _follow(lines: Iterable[bytes], progress: Progress) -> dict[str, Manifest]:
    made: dict[str, Manifest] = {}
    for line in lines:
        event = orjson.loads(line)
        if event["event"] == "progress":
            progress(event["task"], event["done"], event["total"])
        else:
            made[event["task"]] = Manifest.from_dict(event["manifest"])
    return made
