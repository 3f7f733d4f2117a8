"""Trains the judge and embeds texts under the judge's interpreter."""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from streamer.errors import ConfigError, ModelError
from streamer.learn.artifacts.manifest import Manifest
from streamer.learn.judge.order import EmbeddingOrder, TrainingOrder

Progress = Callable[[str, int, int], None]
"""Called with the task, how many of its texts are embedded, and how many there are."""

_WRONG_ORDER = 2
_NEEDED = "import streamer.judging.classifier.encoder, tokenizers"


class JudgeProcess:
    """The judge's environment, which has the encoder and excludes the application's packages."""

    def __init__(self, python: Path) -> None:
        self._python = python

    def problem(self) -> str | None:
        """Why the interpreter can't be started; None where it can."""
        try:
            told = subprocess.run([self._python, "-c", _NEEDED], capture_output=True, check=False)
        except OSError as error:
            return str(self._unstarted(error))
        if told.returncode:
            stderr = told.stderr.decode(errors="replace").strip().splitlines() or ["no word"]
            return (
                f"judge.python: {self._python} lacks what a judge needs ({stderr[-1]}); name the "
                "interpreter of the judge's environment, which `make setup` makes"
            )
        return None

    def run(self, order: TrainingOrder, progress: Progress) -> dict[str, Manifest]:
        """Train as ordered; manifests by task. Raises `ConfigError` or `ModelError`."""
        told = self._follow(order.to_json(), progress, "training the judge")
        return {event["task"]: Manifest.from_dict(event["manifest"]) for event in told}

    def embed(
        self, texts: Sequence[str], progress: Callable[[int, int], None]
    ) -> tuple[NDArray[np.float32], str]:
        """Embeddings [N, dimensions] of N texts, and the encoder's digest; nothing stays on disk.

        Raises as `run`.
        """
        with TemporaryDirectory() as folder:
            order = EmbeddingOrder(tuple(texts), folder)
            (told,) = self._follow(
                order.to_json(), lambda _, done, total: progress(done, total), "embedding tickets"
            )
            return np.load(told["file"], allow_pickle=False), told["encoder"]

    def _follow(self, order: bytes, progress: Progress, what: str) -> list[dict[str, Any]]:
        """What the process tells beside its progress."""
        with self._start() as process:
            assert process.stdin is not None  # a pipe, as asked for in _start
            assert process.stdout is not None
            assert process.stderr is not None
            try:
                # One that ends at once reads no order; what it said comes with its exit status.
                with suppress(BrokenPipeError):
                    process.stdin.write(order)
                    process.stdin.close()
                told = list(_results(process.stdout, progress))
                stderr = process.stderr.read().decode(errors="replace").strip()
            except BaseException:
                # Asked to stop: it would go on alone for minutes.
                process.kill()
                raise
        if process.returncode == _WRONG_ORDER:
            raise ConfigError(stderr)
        if process.returncode:
            raise ModelError(f"{what} failed; its last words:\n{stderr[-2000:]}")
        return told

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [str(self._python), "-m", "streamer.learn.judge"]
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        except OSError as error:
            raise self._unstarted(error) from None

    def _unstarted(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"judge.python: {self._python} can't be started ({error.strerror}); run "
            "`make setup`, or name the interpreter of the judge's environment"
        )


def _results(lines: Iterable[bytes], progress: Progress) -> Iterator[dict[str, Any]]:
    for line in lines:
        event = orjson.loads(line)
        if event["event"] == "progress":
            progress(event["task"], event["done"], event["total"])
        else:
            yield event
