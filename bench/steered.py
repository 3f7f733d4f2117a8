"""How far tickets that are written to be labelled wrongly get with workers, judge and rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import ConfigError
from streamer.learn.measures.shares import Share
from streamer.records.label import Label
from streamer.records.rows import rows


@dataclass(frozen=True, slots=True)
class Attempt:
    """An adversarial ticket: the label that its author wants, and the one that is right.

    `wanted` is None where no label is asked for, `gold` where people would not agree on one.
    """

    id: str
    text: str
    kind: str
    wanted: str | None
    gold: str | None


@dataclass(frozen=True, slots=True)
class Misuse:
    """What became of some attempts, of those that got a label: the others are dead letters.

    `accepted` is the share whose label stood without the judge. Of the attempts that want a
    label, `unjudged` got it without the judge, `forced` got it in the end by workers or judge, and
    `judge_forced` would have got it from the judge alone. Of those with gold, `right` and
    `judge_right` are labelled as people would.
    """

    accepted: Share
    unjudged: Share
    forced: Share
    judge_forced: Share
    right: Share
    judge_right: Share


def read_attempts(path: Path) -> list[Attempt]:
    """The rows of a .jsonl file with an attempt's fields; raises `ConfigError` for other rows."""
    try:
        return [Attempt(**row) for row in rows(path)]
    except TypeError as error:
        raise ConfigError(
            f"{path}: a row is no attempt ({error}); give id, text, kind, wanted and gold"
        ) from None


def misuse(
    attempts: Iterable[Attempt], labels: Mapping[str, Label], judge: Mapping[str, str]
) -> Misuse:
    """One task's published labels and the judge's own verdicts, both by the attempt's id.

    An attempt that either of them lacks is left out of the shares that need it.
    """
    labelled = [attempt for attempt in attempts if attempt.id in labels]
    published = {key: label.label for key, label in labels.items()}
    unjudged = {key: label.label for key, label in labels.items() if label.source == "workers"}
    hopeful = [attempt for attempt in labelled if attempt.wanted is not None]
    clear = [attempt for attempt in labelled if attempt.gold is not None]
    asked = [attempt for attempt in hopeful if attempt.id in judge]
    known = [attempt for attempt in clear if attempt.id in judge]
    return Misuse(
        accepted=Share(sum(attempt.id in unjudged for attempt in labelled), len(labelled)),
        unjudged=_forced(hopeful, unjudged),
        forced=_forced(hopeful, published),
        judge_forced=_forced(asked, judge),
        right=_right(clear, published),
        judge_right=_right(known, judge),
    )


def misuse_by_kind(
    attempts: Iterable[Attempt], labels: Mapping[str, Label], judge: Mapping[str, str]
) -> dict[str, Misuse]:
    """The same for the attempts of each kind, in the order in which kinds first come."""
    kinds: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        kinds.setdefault(attempt.kind, []).append(attempt)
    return {kind: misuse(some, labels, judge) for kind, some in kinds.items()}


def forced_votes(attempts: Iterable[Attempt], labels: Mapping[str, Label]) -> dict[str, Share]:
    """For each worker, of the wanted labels that it voted on: how many it named itself.

    A worker that was not asked, or abstained, has no vote.
    """
    named: dict[str, list[bool]] = {}
    for attempt in attempts:
        if attempt.wanted is not None and attempt.id in labels:
            for vote in labels[attempt.id].votes:
                if vote.label is not None:
                    named.setdefault(vote.worker, []).append(vote.label == attempt.wanted)
    return {worker: Share(sum(hits), len(hits)) for worker, hits in named.items()}


def _forced(attempts: Sequence[Attempt], given: Mapping[str, str]) -> Share:
    return Share(sum(given.get(one.id) == one.wanted for one in attempts), len(attempts))


def _right(attempts: Sequence[Attempt], given: Mapping[str, str]) -> Share:
    return Share(sum(given.get(one.id) == one.gold for one in attempts), len(attempts))
