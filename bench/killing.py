"""Runs a room's unit tests on a copy of the tree, whole or with one mutant in it."""

import importlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import orjson
import pytest

from bench.mutating import Mutant

Fate = Literal["killed", "timed out", "survived", "no test"]

_SERVERS = {"kafka", "triton_echo"}
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "build", "models_repo")
_LOADED_FIRST = ("aiokafka", "hypothesis", "numpy", "pydantic", "pytest_asyncio")
_PATIENCE_S = 600.0
_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Tests:
    """A room's tests that pass: seconds of each, and those that enter a function.

    Functions are told apart by their file with their first line, tests by pytest's names. `failed`
    is what pytest printed where they do not pass, else empty.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    entered: Mapping[str, Sequence[str]] = field(default_factory=dict)
    failed: str = ""

    def about(self, mutant: Mutant, limit_s: float) -> list[str]:
        """The tests that enter the mutant's function, quickest first, `limit_s` in all."""
        place = f"{mutant.file}:{mutant.function}"
        named = self.seconds if mutant.function is None else self.entered.get(place, ())
        found, total = [], 0.0
        for name in sorted(named, key=lambda name: self.seconds[name]):
            total += self.seconds[name]
            if total <= limit_s or not found:
                found.append(name)
        return found


def load_first() -> None:
    """Import what most tests need, before any fork, instead of once for each mutant."""
    for name in _LOADED_FIRST:
        importlib.import_module(name)


class Copy:
    """A copy of the tree at `root`; one mutant at a time. For one process alone."""

    def __init__(self, root: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mutants-"))
        self._tree = self._folder / "tree"
        shutil.copytree(root, self._tree, ignore=_LEFT_OUT)

    def remove(self) -> None:
        """Delete the copy."""
        shutil.rmtree(self._folder)

    def tests_of(self, room: Path) -> Tests:
        """The unit tests in the folder that mirrors `room`, looked at while they run."""
        mirrored = Path("tests", *room.parts[1:])
        if not (self._tree / mirrored).is_dir():
            return Tests()
        code = self._run([str(mirrored)], _Watching(self._tree, room), _PATIENCE_S)
        if code != 0:
            return Tests(failed=(self._folder / "printed").read_text(errors="replace"))
        seconds, entered = orjson.loads(self._told.read_bytes())
        return Tests(seconds, entered)

    def fate(self, mutant: Mutant, tests: Tests, limit_s: float) -> Fate:
        """What the tests say of the mutant; `limit_s` is how long they take on the whole tree."""
        chosen = tests.about(mutant, limit_s)
        if not chosen:
            return "no test"
        path = self._tree / mutant.file
        whole = path.read_bytes()
        self._write(path, mutant.source.encode())
        try:
            files = sorted({name.partition("::")[0] for name in chosen})
            patience = 10 + 4 * sum(tests.seconds[name] for name in chosen)
            code = self._run(files, _Chosen(chosen), patience)
        finally:
            self._write(path, whole)
        return "timed out" if code is None else "survived" if code == 0 else "killed"

    def _write(self, path: Path, source: bytes) -> None:
        # Python tells a file from its compiled form by its second and its size alone.
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()
        path.write_bytes(source)

    @property
    def _told(self) -> Path:
        return self._folder / "told.json"

    def _run(self, files: Sequence[str], plugin: Any, patience_s: float) -> int | None:
        """pytest's exit code in a process of its own, None where it took too long."""
        process = _fork.Process(target=self._tests, args=(files, plugin, patience_s))
        process.start()
        process.join(patience_s)
        late = process.exitcode is None
        if process.pid is not None and late:
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
        return None if late else process.exitcode

    def _tests(self, files: Sequence[str], plugin: Any, patience_s: float) -> None:
        os.setsid()
        # Whoever waits for it may be gone by then.
        signal.alarm(int(patience_s) + 10)
        output = os.open(self._folder / "printed", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.chdir(self._tree)
        os.environ["PYTHONPATH"] = str(self._tree)
        sys.path.insert(0, str(self._tree))
        sys.dont_write_bytecode = not isinstance(plugin, _Watching)
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *files], plugins=[plugin])
        if isinstance(plugin, _Watching):
            self._told.write_bytes(plugin.told())
        sys.stdout.flush()
        os._exit(code)


class _Chosen:
    """Runs the named tests alone, in their order."""

    def __init__(self, names: Sequence[str]) -> None:
        self._order = {name: place for place, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order),
            key=lambda item: self._order[item.nodeid],
        )


class _Watching:
    """Leaves out what needs servers or is slow, and notes which tests enter which functions."""

    def __init__(self, tree: Path, room: Path) -> None:
        self._tree = f"{tree}/"
        self._room = f"{tree / room}/"
        self._test = ""
        self._seconds: dict[str, float] = {}
        self._entered: dict[str, set[str]] = defaultdict(set)

    def told(self) -> bytes:
        return orjson.dumps(
            [self._seconds, {place: sorted(names) for place, names in self._entered.items()}]
        )

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [
            item
            for item in items
            if item.get_closest_marker("slow") is None
            and not _SERVERS.intersection(getattr(item, "fixturenames", ()))
        ]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self._test = item.nodeid
        began = time.monotonic()
        sys.settrace(self._look)
        threading.settrace(self._look)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]  # None takes it back
            self._seconds[self._test] = time.monotonic() - began

    def _look(self, frame: FrameType, event: str, arg: Any) -> None:
        code = frame.f_code
        if code.co_filename.startswith(self._room):
            file = code.co_filename.removeprefix(self._tree)
            self._entered[f"{file}:{code.co_firstlineno}"].add(self._test)
