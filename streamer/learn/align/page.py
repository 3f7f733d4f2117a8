"""What aligning did, as one HTML page."""

from collections.abc import Sequence
from pathlib import Path

from streamer.errors import ConfigError
from streamer.learn.align.report import TaskReport
from streamer.learn.pages import rendered


def page(reports: Sequence[TaskReport]) -> str:
    """The page's text."""
    return rendered("align/page.html", reports=reports)


def write(reports: Sequence[TaskReport], file: Path) -> None:
    """Raises `ConfigError` where the file can't be written."""
    try:
        file.write_text(page(reports), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"can't write {file}: {error.strerror}; make its folder") from None
