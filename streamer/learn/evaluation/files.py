"""Where an evaluation is written to."""

from pathlib import Path

import orjson

from streamer.learn.evaluation.evaluation import Evaluation
from streamer.learn.evaluation.figures import plots
from streamer.learn.evaluation.page import page
from streamer.learn.judge_test.section import read_section


def write(evaluation: Evaluation, folder: Path) -> Path:
    """Write `report.html`, `report.json` and a PNG of each plot; returns the page's path.

    The folder is made where there is none; files of before are written over. Where a test of the
    judge lies there, the page has a section on it; raises `ConfigError` where that can't be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = orjson.dumps(evaluation, option=orjson.OPT_INDENT_2)
    (folder / "report.json").write_bytes(plain)
    for plot in plots(evaluation):
        (folder / f"{plot.name}.png").write_bytes(plot.png())
    path = folder / "report.html"
    path.write_text(page(evaluation, read_section(folder)), encoding="utf-8")
    return path
