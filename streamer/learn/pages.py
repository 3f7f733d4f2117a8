"""Reports as HTML pages that need nothing from elsewhere."""

import math
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from streamer.learn.measures.interval import Interval

_ABSENT = "-"


def rendered(template: str, **given: Any) -> str:
    """A template of this package with what it is given.

    All text is escaped: names, labels, words and tickets come from outside.
    """
    environment = Environment(
        loader=PackageLoader("streamer.learn", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "interval": _interval, "points": _points}
    return environment.get_template(template).render(**given)


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
