"""A version of the segments as one HTML page."""

import math

from streamer.learn.pages import rendered
from streamer.learn.segments.report import Report, SegmentReport

_WIDTH, _HEIGHT = 120, 28
_SHOWN = 400


def page(report: Report) -> str:
    """The page's text; examples are cut to 400 characters."""
    drawn = {segment.number: _line(segment) for segment in report.segments}
    return rendered("segments/page.html", report=report, lines=drawn, shown=_SHOWN)


def _line(segment: SegmentReport) -> str:
    """Points of the trend for an SVG polyline; windows without tickets are left out."""
    points = [
        (window, share) for window, share in enumerate(segment.trend) if not math.isnan(share.value)
    ]
    highest = max((share.value for _, share in points), default=0.0) or 1.0
    steps = max(len(segment.trend) - 1, 1)
    return " ".join(
        f"{window / steps * _WIDTH:.1f},{_HEIGHT - share.value / highest * _HEIGHT:.1f}"
        for window, share in points
    )
