"""An evaluation as one HTML page."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from streamer.learn.evaluation.evaluation import Evaluation
from streamer.learn.evaluation.figures import plots
from streamer.learn.pages import rendered


def page(evaluation: Evaluation, judge: Mapping[str, Any] | None = None) -> str:
    """The page's text; with a test of the `judge` it has a section on that."""
    drawn = {plot.name: (plot, Markup(plot.svg())) for plot in plots(evaluation)}
    return rendered("evaluation/page.html", report=evaluation, plots=drawn, judge=judge)
