"""An evaluation as one HTML page that needs nothing from elsewhere."""

import math

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from streamer.learn.evaluation.evaluation import Evaluation
from streamer.learn.evaluation.figures import plots
from streamer.learn.evaluation.interval import Interval

_ABSENT = "-"


def page(evaluation: Evaluation) -> str:
    """All text is escaped: names, labels and slices come from outside."""
    environment = Environment(
        loader=PackageLoader("streamer.learn.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "interval": _interval, "points": _points}
    drawn = {plot.name: (plot, Markup(plot.svg())) for plot in plots(evaluation)}
    return environment.get_template("page.html").render(report=evaluation, plots=drawn)


def _number(value: float | None, digits: int = 3) -> Markup:
    """For the eye, with the exact number beside it for a program."""
    if value is None or not math.isfinite(value):
        return Markup(_ABSENT)
    exact = Markup('<data value="{}">').format(repr(value))
    return exact + Markup("{:.{}f}</data>").format(value, digits)


def _interval(value: Interval | None) -> Markup:
    if value is None or not math.isfinite(value.value):
        return Markup(_ABSENT)
    ends = Markup(' <span class="interval">{} to {}</span>')
    return _number(value.value) + ends.format(_number(value.low), _number(value.high))


def _points(value: Interval) -> Markup:
    """A difference with its sign."""
    sign = Markup("+") if value.value > 0 else Markup("")
    return sign + _interval(value)
