"""How many small faults planted in a file its room's unit tests notice. Never in CI.

Of each file some random mutants are tried in copies of the tree, by the tests in the mirrored
folder that need no server and are not slow. What is named in `equivalent.toml` does the same as
the file does, for the reason given there, and is not tried. How many of a file were killed, with
seed and survivors, is printed for each file as it is done.
"""

import argparse
import random
import secrets
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from bench.killing import Copy, Fate, Tests, load_first
from bench.mutating import Mutant, mutants_of
from bench.result import Result, load

FOLDERS = (Path("streamer/stream"), Path("streamer/client"), Path("streamer/decide"))
EQUIVALENT = Path("bench/equivalent.toml")

_Name = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Tried:
    """The mutants of a file with what became of each, and how many were left out as equivalent."""

    file: str
    fates: Sequence[tuple[Mutant, Fate]]
    equivalent: int

    @property
    def killed(self) -> int:
        """How many the tests noticed, by failing or by never ending."""
        return sum(fate in ("killed", "timed out") for _, fate in self.fates)


def run(options: argparse.Namespace) -> list[Result]:
    """The share of all that were tried, with that of each file.

    Raises RuntimeError where a room's tests fail without any mutant.
    """
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    print(f"--seed {seed}", flush=True)
    files = _files(options.files or FOLDERS)
    chosen = _Chosen(options.mutants, seed, _named(EQUIVALENT, files))
    load_first()
    found = []
    with ProcessPoolExecutor(options.jobs, get_context("fork")) as pool:
        rooms = sorted({Path(file).parent for file in files})
        tests = dict(zip(rooms, pool.map(_tests_of, rooms), strict=True))
        for one in pool.map(partial(_tried, chosen, tests, options.limit), files):
            _print(one)
            found.append(one)
    return [_result(found, seed)]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """`count` random mutants of each file, without the named ones."""

    count: int
    seed: int
    named: frozenset[_Name]

    def of(self, file: str) -> tuple[list[Mutant], int]:
        """The chosen ones, and how many were left out as equivalent."""
        mutants = _all(file)
        left = [mutant for mutant in mutants if mutant.name not in self.named]
        drawn = random.Random(f"{self.seed}:{file}").sample(left, min(self.count, len(left)))
        return drawn, len(mutants) - len(left)


def _files(paths: Iterable[Path]) -> list[str]:
    found = {file for path in paths for file in (path.glob("*.py") if path.is_dir() else [path])}
    return [str(file) for file in sorted(found) if _all(str(file))]


def _all(file: str) -> list[Mutant]:
    return mutants_of(file, Path(file).read_text(encoding="utf-8"))


def _named(path: Path, files: Collection[str]) -> frozenset[_Name]:
    """What the list of equivalents says about the files; raises ValueError where it is wrong."""
    if not path.exists():
        return frozenset()
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    if lacking := [entry for entry in entries if not entry["why"]]:
        raise ValueError(f"{path}: say why this does the same: {lacking[0]}")
    names = {(one["file"], one["scope"], one["was"], one["now"]) for one in entries}
    about = {name for name in names if name[0] in files}
    if gone := about - {mutant.name for file in files for mutant in _all(file)}:
        raise ValueError(f"{path}: take out what is no mutant any more: {sorted(gone)}")
    return frozenset(about)


def _tests_of(room: Path) -> Tests:
    copy = Copy(Path.cwd())
    try:
        return copy.tests_of(room)
    finally:
        copy.remove()


def _tried(chosen: _Chosen, tests: Mapping[Path, Tests], limit_s: float, file: str) -> Tried:
    mutants, equivalent = chosen.of(file)
    room = tests[Path(file).parent]
    if room.failed:
        raise RuntimeError(f"the tests of {file} fail without any mutant:\n{room.failed}")
    copy = Copy(Path.cwd())
    try:
        fates = [(mutant, copy.fate(mutant, room, limit_s)) for mutant in mutants]
    finally:
        copy.remove()
    return Tried(file, fates, equivalent)


def _print(one: Tried) -> None:
    print(f"\n{one.file}: {_told(one)}")
    for mutant, fate in sorted(one.fates, key=lambda pair: (pair[0].line, pair[0].now)):
        if fate in ("survived", "no test"):
            print(f"  {mutant.line} {mutant.scope}: {fate}\n  - {mutant.was}\n  + {mutant.now}")
    print(end="", flush=True)


def _told(one: Tried) -> str:
    counts = Counter(fate for _, fate in one.fates)
    parts = [f"{count} {fate}" for fate, count in sorted(counts.items())]
    share = f"{_share([one]):.0%} of {len(one.fates)} killed"
    return f"{share} ({', '.join((*parts, f'{one.equivalent} equivalent'))})"


def _share(found: Sequence[Tried]) -> float:
    return sum(one.killed for one in found) / max(sum(len(one.fates) for one in found), 1)


def _result(found: Sequence[Tried], seed: int) -> Result:
    files = {one.file: _told(one) for one in found}
    return Result(
        "mutants",
        _share(found),
        "of the mutants killed",
        wanted="0.9, no file under 0.8",
        details={"seed": seed, **files, "load": load()},
    )
