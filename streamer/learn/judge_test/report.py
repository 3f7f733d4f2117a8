"""The test of a judge as a page and as JSON."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from streamer.learn.judge_test.beside import Alone, Cascade
from streamer.learn.judge_test.choosing import Choice
from streamer.learn.judge_test.examination import Beside
from streamer.learn.judge_test.figures import Figures
from streamer.learn.judge_test.section import JSON_FILE
from streamer.learn.pages import rendered

PAGE_FILE = "judge.html"


@dataclass(frozen=True, slots=True)
class Report:
    """Of one task; `told` begins with the chosen variant. `missing` says what is not there."""

    task: str
    judge: str
    chosen_on: int
    told_on: int
    choice: Choice
    told: tuple[Figures, ...]
    beside: tuple[Beside, ...]
    alone: tuple[Alone, ...]
    cascade: Cascade | None
    missing: tuple[str, ...]

    def to_json(self) -> bytes:
        """What is no number is null."""
        return orjson.dumps(self, option=orjson.OPT_INDENT_2)

    def write(self, folder: Path) -> Path:
        """Write a page and JSON; returns the page's path."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / JSON_FILE).write_bytes(self.to_json())
        page = folder / PAGE_FILE
        told = orjson.loads(self.to_json())
        page.write_text(rendered("judge_test/page.html", judge=told), encoding="utf-8")
        return page
