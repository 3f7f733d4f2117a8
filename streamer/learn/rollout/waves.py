"""What became of the tickets of one stretch of time: how often the judge was asked for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamer.learn.data.decisions import LoggedDecision
from streamer.learn.measures.interval import Interval
from streamer.learn.measures.shares import Share
from streamer.learn.pages import rendered
from streamer.records.labelset import LabelSet


@dataclass(frozen=True, slots=True)
class Wave:
    """`asked` is the share of tickets that went to the judge for their label; `agreed`, of the
    uniform stratum, that of published labels that are the judge's; `right` that of those that are
    true. `versions` are the workers' that voted, `routed` the share that took a segment's own way.
    """

    name: str
    tickets: int
    asked: Interval
    agreed: Interval
    right: Interval
    routed: Interval
    versions: Mapping[str, str]

    @classmethod
    def of(
        cls,
        name: str,
        decisions: Sequence[LoggedDecision],
        labels: LabelSet,
        gold: Mapping[str, str],
    ) -> "Wave":
        """Of one task's decisions, all of them logged; `gold` are true labels by ticket id."""
        asked, agreed, right, routed = [], [], [], []
        versions: dict[str, str] = {}
        for decision in decisions:
            ballot, verdict = decision.ballot, decision.verdict
            if ballot is None:
                continue
            label = ballot.label
            asked.append(label is None)
            if label is None and verdict is not None:
                label = verdict.published
            right.append(label == gold[ballot.ticket_id])
            routed.append(ballot.segment is not None and ballot.segment.number is not None)
            if ballot.uniform and verdict is not None and verdict.vector is not None:
                judged = labels.labels[verdict.vector.index(max(verdict.vector))]
                agreed.append(ballot.label in (None, judged))
            versions |= {v.worker: v.version for v in ballot.ballot.votes if v.version}
        return cls(
            name,
            len(asked),
            _share(asked),
            _share(agreed),
            _share(right),
            _share(routed),
            versions,
        )


def page(waves: Sequence[Wave], pages: Mapping[str, str], summary: str) -> str:
    """All waves in their order; `pages` are addresses of other pages by their titles, and `summary`
    is what readers must know to compare the waves.
    """
    return rendered("rollout/waves.html", waves=waves, pages=pages, said=summary)


def _share(hits: Sequence[bool]) -> Interval:
    return Interval.of_share(Share(sum(hits), len(hits)))
