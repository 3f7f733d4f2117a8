"""Only at the two doors whatever is raised is caught; elsewhere it is named or passed on."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import streamer

PACKAGE = Path(streamer.__file__).parent
DOORS = {"services/intake/decoding.py": 1, "services/runtime/writing.py": 1}
# They end the process.
END = {"services/runtime/process.py": 1, "judging/engine/watched_engine.py": 2}
WHATEVER = {"Exception", "BaseException"}


def wide(tree: ast.AST) -> Iterator[ast.AST]:
    """Handlers of whatever is raised, but those of `BaseException` that always pass it on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and (caught := names(node.type)) & WHATEVER:
            if "Exception" in caught or not passes_on(node):
                yield node
        elif isinstance(node, ast.Assign) and names(node.value) & WHATEVER:
            # Under another name they would be caught unseen.
            yield node
        elif isinstance(node, ast.Call) and suppresses(node):
            yield node


def passes_on(handler: ast.ExceptHandler) -> bool:
    """Whether it ends by raising, what was caught or what names it as its cause, and no earlier."""
    last = handler.body[-1]
    return (
        isinstance(last, ast.Raise)
        and (last.exc is None or ast.unparse(last.cause or last.exc) == handler.name)
        and not any(
            isinstance(node, ast.Return | ast.Break | ast.Continue) for node in ast.walk(handler)
        )
    )


def suppresses(call: ast.Call) -> bool:
    named = names(call.func) == {"suppress"}
    return named and any(names(one) & WHATEVER for one in call.args)


def names(node: ast.expr | None) -> set[str]:
    if node is None:
        return {"BaseException"}
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {ast.unparse(part).rpartition(".")[2] for part in parts}


def test_nothing_but_the_two_doors_catches_whatever_is_raised() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): len(list(wide(ast.parse(path.read_text()))))
        for path in PACKAGE.rglob("*.py")
    }
    assert {path: count for path, count in found.items() if count} == DOORS | END


@pytest.mark.parametrize(
    "handler",
    [
        "except Exception: raise",
        "except: pass",
        "except BaseException: pass",
        "except (OSError, Exception) as error: return",
        "except builtins.Exception: log()",
        "except BaseException:\n  if h(): return\n  raise",
        "except BaseException as error: raise Other(error) from None",
    ],
)
def test_it_would_be_noticed(handler: str) -> None:
    code = f"def f():\n try: g()\n {handler}"
    assert len(list(wide(ast.parse(code)))) == 1
    assert len(list(wide(ast.parse("with contextlib.suppress(Exception): g()")))) == 1
    assert len(list(wide(ast.parse("ODD = (OSError, Exception)")))) == 1


@pytest.mark.parametrize(
    "handler",
    [
        "except OSError: pass",
        "except BaseException:\n  h()\n  raise",
        "except BaseException as error: raise Other() from error",
    ],
)
def test_what_is_named_or_passed_on_is_fine(handler: str) -> None:
    assert list(wide(ast.parse(f"def f():\n try: g()\n {handler}"))) == []
