"""What is written to terminals, and what is not written to anything else."""

import io
import json
import os
import pty
import subprocess
import sys
from contextlib import redirect_stdout
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.terminal import (
    cell,
    clean,
    coloured,
    console,
    local,
    paint,
    table,
    tell_json,
    tell_raw_json,
    watched,
)
from tests.pseudo_terminal import shown

# Without lone surrogates: no JSON in UTF-8 has them.
SIGNS = st.characters(codec="utf-8")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


@given(st.text())
def test_what_is_cleaned_is_one_harmless_line_of_the_same_length(text: str) -> None:
    made = clean(text)
    assert len(made) == len(text)
    assert len(made.splitlines()) <= 1
    assert not set(made) & {chr(code) for code in (*range(32), *range(127, 160))}
    assert clean(made) == made


def test_what_is_asked_for_is_kept() -> None:
    assert clean("a\nb\tc\x1b", keep="\n") == "a\nb\ufffdc\ufffd"


@given(st.text(), st.integers(1, 30))
def test_a_cell_is_as_wide_as_told(text: str, width: int) -> None:
    assert len(cell(text, width)) == width


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert coloured(Terminal())
    assert not coloured(io.StringIO())
    assert paint("x", "bold", "red", stream=Terminal()) == "\x1b[1;31mx\x1b[0m"
    assert paint("x", "red", stream=io.StringIO()) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("x", "red", stream=Terminal()) == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not coloured(Terminal())


@given(
    st.recursive(
        st.text(SIGNS), lambda inner: st.lists(inner) | st.dictionaries(st.text(SIGNS), inner)
    )
)
def test_json_is_harmless_and_the_same_value(value: object) -> None:
    for told in (lambda: tell_json(value), lambda: tell_raw_json(json_bytes(value))):
        written = io.StringIO()
        with redirect_stdout(written):
            told()
        line = written.getvalue().removesuffix("\n")
        assert json.loads(line) == value
        assert clean(line) == line


def json_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


@pytest.mark.parametrize("raw", [b"\x1b[2J{", b"\xff\x9b31m", "\u202e{}".encode(), b"{}\n\x00"])
def test_what_should_be_json_and_is_not_moves_no_terminal(
    raw: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_raw_json(raw)
    line = capsys.readouterr().out.removesuffix("\n")
    assert clean(line) == line


def test_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell_json({"a": [1, "\n"]})
    assert capsys.readouterr().out == '{"a":[1,"\\n"]}\n'


def test_no_cell_of_a_table_is_cut_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    made = table("name", "number", title="of the test")
    made.add_row("x" * 90, "7")
    console().print(made)
    assert "x" * 90 + "       7" in capsys.readouterr().out


def test_a_bar_lets_everything_by_and_is_silent_in_a_pipe(capsys) -> None:
    assert list(watched(range(1000), "numbers")) == list(range(1000))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("term", "drawn"), [("xterm", True), ("dumb", False)])
def test_a_bar_is_drawn_on_a_terminal_and_on_stderr_alone(term: str, drawn: bool) -> None:
    script = "from streamer.terminal import watched; list(watched(range(9), 'numbers', 9))"
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": term},
    ) as process:
        os.close(theirs)
        seen = "".join(shown(ours))
        assert process.stdout is not None
        assert process.stdout.read() == b""
    os.close(ours)
    assert ("numbers" in seen) == drawn


@pytest.mark.parametrize(
    ("ms", "year"), [(2**63 - 1, 9000), (253_402_351_199_000, 9000), (-(2**63), 1970)]
)
def test_any_number_of_milliseconds_is_a_time(ms: int, year: int) -> None:
    assert abs(local(ms).year - year) <= 1
    exact = datetime(2026, 1, 31, 8, 0, 0, 250_000)
    assert local(exact.timestamp() * 1000) == exact
