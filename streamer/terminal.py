"""What people see: made harmless, in colour where they want it, and in one look.

Answers go to stdout. Everything else goes to stderr: what is missing, what takes long. So a pipe
holds nothing but answers.
"""

import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TextIO, TypeVar

import orjson

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

T = TypeVar("T")
Style = Literal["bold", "dim", "red", "green", "yellow", "blue", "magenta", "cyan"]

_CODES: dict[Style, int] = {
    "bold": 1,
    "dim": 2,
    "red": 31,
    "green": 32,
    "yellow": 33,
    "blue": 34,
    "magenta": 35,
    "cyan": 36,
}

_NARROWEST = 120
_LAST_SECOND = datetime(9000, 1, 1).timestamp()
_REDRAW_S = 0.1


def clean(text: str, keep: str = "") -> str:
    """Without what could move a terminal's cursor, recolour it or turn the text around.

    Such characters are replaced by U+FFFD, but for those in `keep`, such as a line feed.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign in keep or _harmless(sign) else "\ufffd" for sign in text)


def cell(text: str, width: int) -> str:
    """Cleaned, and as wide as told: filled up with spaces, or cut with an ellipsis."""
    text = clean(text)
    return f"{text if len(text) <= width else text[: width - 1] + '…':<{width}}"


def local(ms: float) -> datetime:
    """Milliseconds since the epoch as a local time.

    Whoever wrote a record may have stamped it with any number: what no calendar has becomes the
    nearest time from 1970 to the year 9000.
    """
    return datetime.fromtimestamp(min(max(ms / 1000, 0.0), _LAST_SECOND))


def coloured(stream: TextIO) -> bool:
    """Whether a stream takes colours: a terminal that is not dumb, and no NO_COLOR is set."""
    return _alive(stream) and not os.environ.get("NO_COLOR")


def paint(text: str, *styles: Style, stream: TextIO | None = None) -> str:
    """The text in these styles, where `stream` (default: stdout) takes colours."""
    if not styles or not coloured(stream or sys.stdout):
        return text
    return f"\x1b[{';'.join(str(_CODES[style]) for style in styles)}m{text}\x1b[0m"


def tell(line: str) -> None:
    """A line of the answer, at once: people watch it, and pipes would hold it back."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def note(line: str) -> None:
    """A line about the work, for people: on stderr."""
    sys.stderr.write(line + "\n")


def tell_json(value: Any) -> None:
    """An answer for machines: JSON on one line. Dataclasses and times are written as well."""
    tell_raw_json(orjson.dumps(value))


def tell_raw_json(value: bytes) -> None:
    """The same of what is JSON already, or should be.

    What `clean` takes out of texts is escaped, so that it is the same JSON wherever it is read.
    """
    text = value.decode("utf-8", "replace")
    if not text.isprintable():
        text = "".join(map(_escaped, text))
    tell(text)


def console(stderr: bool = False) -> "Console":
    """A console that takes texts as they are, and colours only where wanted."""
    from rich.console import Console

    made = Console(
        stderr=stderr,
        highlight=False,
        markup=False,
        soft_wrap=True,
        no_color=not coloured(sys.stderr if stderr else sys.stdout),
    )
    if not stderr:
        # Cells that are cut say nothing; lines that wrap can still be read.
        made.width = max(made.width, _NARROWEST)
    return made


def table(*columns: str, title: str | None = None) -> "Table":
    """A table without lines: the first column to the left, the others to the right."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left", no_wrap=True)
    return made


@contextmanager
def bars() -> Iterator["Progress"]:
    """Bars of progress on stderr; draws nothing where that is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console(stderr=True),
        disable=not _alive(sys.stderr),
        transient=True,
    ) as shown:
        yield shown


def watched(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """The items, with a bar of how many have gone by; without a total it only says that number."""
    with bars() as shown:
        bar, drawn = shown.add_task(what, total=total), monotonic()
        for number, item in enumerate(items, 1):
            yield item
            if monotonic() - drawn > _REDRAW_S:
                shown.update(bar, completed=number)
                drawn = monotonic()


def _escaped(sign: str) -> str:
    # In JSON line ends and tabs stand between values alone.
    return " " if sign in "\n\r\t" else sign if _harmless(sign) else json.dumps(sign)[1:-1]


def _harmless(sign: str) -> bool:
    # Control, format (with what turns the writing around), surrogate; line and paragraph ends.
    kind = unicodedata.category(sign)
    return kind[0] != "C" and kind not in ("Zl", "Zp")


def _alive(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"
