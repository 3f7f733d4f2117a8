"""Plots that read in print, on a dark screen and for the colour-blind."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO, StringIO
from itertools import cycle
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito 2008, without the yellow that nobody sees on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_DASHES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
_INK = "#010203"
"""Stands for the colour of the page's text, which an inline SVG takes over."""

_STYLE: Any = {
    "text.parse_math": False,  # names are untrusted: a dollar is a dollar
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "legend.fontsize": 9,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK
    ),
    "grid.color": _INK,
}

Draw = Callable[[Axes], None]


@dataclass(frozen=True, slots=True)
class Line:
    """Points of one series, `joined` or only marked; a `plain` one is background, in dots."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    joined: bool = True
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing named `name`, described in words for those who can't see it."""

    name: str
    title: str
    described: str
    draw: Draw

    def svg(self) -> str:
        """For a page: no XML head, ids of its own, in the colour of the text around it."""
        with mpl.rc_context({**_STYLE, "svg.hashsalt": self.name}):
            stream = StringIO()
            nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            self._figure().savefig(stream, format="svg", transparent=True, metadata=nothing)
        drawn = stream.getvalue()
        drawn = drawn[drawn.index("<svg") :].replace(_INK, "currentColor")
        drawn = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{self.name}-", drawn)
        return re.sub(r'^<svg ([^>]*?)width="\S+" height="\S+"', r"<svg \1", _bare(drawn))

    def png(self) -> bytes:
        """On white, for a slide."""
        with mpl.rc_context(_STYLE):
            stream = BytesIO()
            figure = self._figure()
            FigureCanvasAgg(figure)
            figure.savefig(stream, format="png", dpi=160, metadata={"Software": None})
        return stream.getvalue()

    def _figure(self) -> Figure:
        figure = Figure(figsize=(4.1, 4.5), layout="constrained")
        axes = figure.add_subplot()
        self.draw(axes)
        labels = axes.get_legend_handles_labels()[1]
        if labels:
            longest = max(map(len, labels))
            columns = next(c for c, most in ((5, 6), (2, 24), (1, longest)) if longest <= most)
            figure.legend(loc="outside lower center", ncols=columns)
        return figure


def lines(
    series: Iterable[Line], x: str, y: str, *, level: tuple[str, float] | None = None
) -> Draw:
    """Series over each other, and a dashed level to hold them against."""

    def draw(axes: Axes) -> None:
        looks = zip(cycle(_COLOURS), cycle(_MARKERS), strict=False)
        for number, (line, (colour, marker)) in enumerate(zip(series, looks, strict=False)):
            _draw(axes, line, colour, marker, _DASHES[number // len(_COLOURS) % len(_DASHES)])
        if level is not None:
            axes.axhline(level[1], color=_INK, linestyle=(0, (6, 3)), lw=1, label=level[0])
        axes.set_xlabel(x)
        axes.set_ylabel(y)

    return draw


def _draw(axes: Axes, line: Line, colour: str, marker: str, dash: str) -> None:
    if line.plain:
        look = (
            {"linestyle": ":", "lw": 1.2} if line.joined else {"linestyle": "none", "marker": "."}
        )
        axes.plot(line.x, line.y, color=_INK, alpha=0.7, label=line.name, **look)
        return
    axes.plot(
        line.x,
        line.y,
        color=colour,
        linestyle=dash if line.joined else "none",
        marker=marker,
        markevery=max(1, len(line.x) // 8) if line.joined else 1,
        markersize=5 if line.joined else 7,
        lw=1.6,
        label=line.name,
    )


def _bare(svg: str) -> str:
    """Without the namespaces that a page doesn't need: they look like references."""
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    return svg.replace("xlink:href", "href").strip()
