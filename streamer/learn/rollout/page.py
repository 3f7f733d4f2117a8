"""What is known of a trial, as one HTML page."""

from collections.abc import Sequence

from streamer.learn.measures.interval import Interval
from streamer.learn.measures.shares import Share
from streamer.learn.pages import rendered
from streamer.learn.rollout.judgement import ALPHA, Judgement


def page(judgements: Sequence[Judgement]) -> str:
    """The page's text."""
    return rendered("rollout/page.html", found=judgements, alpha=ALPHA, shown=_interval)


def _interval(share: Share | None) -> Interval | None:
    return None if share is None else Interval.of_share(share)
