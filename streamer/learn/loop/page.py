"""What is known of a trial, as one HTML page."""

from collections.abc import Sequence

from streamer.learn.evaluation.interval import Interval
from streamer.learn.loop.judgement import ALPHA, Judgement
from streamer.learn.pages import rendered
from streamer.learn.report import Share


def page(found: Sequence[Judgement]) -> str:
    """The page's text."""
    return rendered("loop/page.html", found=found, alpha=ALPHA, shown=_interval)


def _interval(share: Share | None) -> Interval | None:
    return None if share is None else Interval.of_share(share)
