import os
import subprocess
import sys
from pathlib import Path

from bench.mutating import mutants_of

ROOT = Path(__file__).parents[2]
THING = '''"""A thing."""


def larger(one: int, other: int) -> int:
    """The larger of two."""
    return one if one > other else other


def unheard() -> int:
    return 7
'''
TEST = """from streamer.room.thing import larger


def test_larger() -> None:
    assert [larger(3, 4), larger(4, 3)] == [4, 4]


def test_with_a_server(kafka: object) -> None:
    assert larger(4, 4) is None, "a test that needs Kafka is not run"
"""
SAME = """[[mutant]]
file = "streamer/room/thing.py"
scope = "larger"
was = "return one if one > other else other"
now = "return one if (one >= other) else other"
why = "both are the same then"
"""


def tried(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench", "mutants", "--files", "streamer/room/thing.py"]
    return subprocess.run(
        [*command, "--jobs", "1", "--seed", "1", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def planted(folder: Path) -> Path:
    for path, text in (
        ("streamer/__init__.py", ""),
        ("streamer/room/__init__.py", ""),
        ("streamer/room/thing.py", THING),
        ("tests/room/test_thing.py", TEST),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_what_tests_notice_is_killed_and_what_they_do_not_is_shown(tmp_path: Path) -> None:
    folder = planted(tmp_path)
    first = tried(folder)
    assert "40% of 5 killed (2 killed, 2 no test, 1 survived, 0 equivalent)" in first.stdout, first
    assert "  6 larger: survived\n" in first.stdout
    assert "  + return one if (one >= other) else other\n" in first.stdout
    assert "  10 unheard: no test\n  - return 7\n  + return 8\n" in first.stdout
    assert (folder / "streamer/room/thing.py").read_text() == THING
    # What does the same is named with its reason, and counts no more.
    (folder / "bench").mkdir()
    (folder / "bench/equivalent.toml").write_text(SAME)
    second = tried(folder)
    assert "50% of 4 killed (2 killed, 2 no test, 1 equivalent)" in second.stdout, second


def test_a_list_that_is_wrong_and_tests_that_fail_anyway_are_told(tmp_path: Path) -> None:
    folder = planted(tmp_path)
    (folder / "bench").mkdir()
    for wrong, said in (
        (("one >=", "one =>"), "no mutant any more"),
        (('"both', '"" #'), "say why"),
    ):
        (folder / "bench/equivalent.toml").write_text(SAME.replace(*wrong))
        assert said in tried(folder).stderr
    (folder / "bench/equivalent.toml").unlink()
    (folder / "tests/room/test_thing.py").write_text(TEST.replace("[4, 4]", "[4, 5]"))
    assert "fail without any mutant" in tried(folder).stderr


def test_what_no_test_of_behaviour_has_a_say_in_is_left_alone() -> None:
    source = '''"""Words."""
import logging
from typing import Literal

__slots__ = ("one",)
Kind = Literal["one", "other"]
_PATIENCE_S = 5.0
log = logging.getLogger(__name__)


class Thing(list[int]):
    """Words."""

    def kind(self, of: Literal["one"]) -> Literal["two"]:
        """Words."""
        log.warning("words %d", 1)
        raise ValueError("a b" + "c")
'''
    assert [(one.line, one.now) for one in mutants_of("thing.py", source)] == [(17, "pass")]


def test_every_kind_of_change_is_made_once_and_reads_as_python() -> None:
    source = """def work(a, b=1):
    while a and not b:
        a += 1
        if a in (1, 2):
            continue
    try:
        a.call(x=min(a, b))
    except (KeyError, OSError):
        pass
    return [one * 2 for one in a if one]
"""
    assert [(one.line, one.now) for one in mutants_of("thing.py", source)] == [
        (1, "def work(a, b=2):"),
        (2, "while (not (a and (not b))):"),
        (2, "while (a or not b):"),
        (2, "while (not b):"),
        (2, "while (a):"),
        (2, "while a and (b):"),
        (3, "a -= 1"),
        (3, "pass"),
        (3, "a += 2"),
        (4, "if (a not in (1, 2)):"),
        (4, "if a in (2, 2):"),
        (4, "if a in (1, 3):"),
        (5, "break"),
        (5, "pass"),
        (7, "pass"),
        (7, "a.call(x=max(a, b))"),
        (8, "except (OSError,):"),
        (8, "except (KeyError,):"),
        (10, "return None"),
        (10, "return [(one // 2) for one in a if one]"),
        (10, "return [one * 3 for one in a if one]"),
        (10, "return [one * 2 for one in a if (not (one))]"),
    ]
