"""What becomes of a ticket is described once: in decide/, and by name in the configuration."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import streamer
from streamer.records.log import Mode

PACKAGE = Path(streamer.__file__).parent
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
MODES = set(get_args(Mode))
WIRE, CONFIGURATION = "records/log.py", "config/tasks.py"

CASCADE = {
    "asked_first": "third_worker",
    "third_asked": "third_worker",
    "as_asked": "third_worker",
    "workers_candidate": "candidate",
    "dispose": "disposition",
    "calls_within": "disposition",
    "arbitrate": "arbitration",
}


def _words(tree: ast.AST) -> Iterator[object]:
    """Whole strings, and names of any kind."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            yield node.value
        for name in ("id", "attr", "arg", "name"):
            yield getattr(node, name, None)


WORDS = {file: set(_words(tree)) for file, tree in TREES.items()}


def files(word: str) -> set[str]:
    """The files in which it stands."""
    return {file for file, words in WORDS.items() if word in words}


def _compared(tree: ast.AST) -> Iterator[object]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield from (side.value for side in ast.walk(node) if isinstance(side, ast.Constant))


def defining(name: str) -> list[str]:
    return [
        file
        for file in files(name)
        for node in ast.walk(TREES[file])
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]


def test_the_mode_that_publishes_first_is_named_once_in_decide() -> None:
    places = {CONFIGURATION, "decide/serving_policy.py"}
    assert files("optimistic") == places | {WIRE}
    assert {file for file, tree in TREES.items() if set(_compared(tree)) & MODES} == places


@pytest.mark.parametrize(("name", "module"), CASCADE.items())
def test_each_step_is_defined_once(name: str, module: str) -> None:
    assert defining(name) == [f"decide/{module}.py"]


def test_who_is_asked_last_is_asked_of_one_file() -> None:
    """Whoever wants to know calls it: no rule says it, and no decision carries it."""
    assert files("asks_all") == set()
    rules = [f"decide/{name}.py" for name in ("votes", "chow", "router", "deferral_rule")]
    for file in (*rules, "decide/decision.py", "decide/thresholded_rule.py"):
        assert not {"left", "open", "third", "asked_first"} & WORDS[file], file


@pytest.mark.parametrize(
    "shell",
    ["services/classify/disposed.py", "learn/replay/replay.py", "learn/measures/served.py"],
)
def test_serving_replaying_and_learning_call_the_same(shell: str) -> None:
    assert shell in files("workers_candidate") & files("dispose")
