"""An evaluation as one HTML page."""

from markupsafe import Markup

from streamer.learn.evaluation.evaluation import Evaluation
from streamer.learn.evaluation.figures import plots
from streamer.learn.pages import rendered


def page(evaluation: Evaluation) -> str:
    """The page's text."""
    drawn = {plot.name: (plot, Markup(plot.svg())) for plot in plots(evaluation)}
    return rendered("evaluation/page.html", report=evaluation, plots=drawn)
