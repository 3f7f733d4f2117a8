"""From log records to the cases of a task."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.data.decisions import LoggedDecision
from streamer.records.judge_request import Ballot
from streamer.records.label import Vote
from streamer.records.labelset import LabelSet
from streamer.records.log import BallotLog

JUDGE = "judge"

Versions = dict[str, str]
Vector = tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class LogTable:
    """The cases of one task, the times of the first and last of them, and what the log lacks.

    `left_out` counts ballots that are no cases, by the reason. `unjudged` cases have no verdict;
    of them `given_up` were audits that the judge had no time for.
    """

    cases: Dataset
    period: tuple[str | None, str | None]
    left_out: Mapping[str, int]
    unjudged: int
    given_up: int

    @classmethod
    def of(
        cls,
        decisions: Iterable[LoggedDecision],
        task: str,
        labels: LabelSet,
        workers: Sequence[str],
    ) -> "LogTable":
        """Of decisions of any task, those of the uniform stratum alone, on which all that is
        promised rests. Only tickets that met the newest version of every model are kept, since
        another version is another model.
        """
        mine = [one for one in decisions if one.ballot is not None and one.ballot.task == task]
        outside: Counter[str] = Counter()
        mine = _kept(mine, _is_uniform, "not of the uniform stratum", outside)
        mine = _kept(mine, _has_labels(labels.version), "of another label set", outside)
        mine = _kept(mine, _has_workers(tuple(workers)), "without the answers of all", outside)
        newest = _newest(mine)
        mine = _kept(mine, _has_versions(newest), "of older models", outside)
        times = [_ballot(one).at for one in mine]
        lacking = [one for one in mine if _vector(one) is None]
        return cls(
            _cases(mine, task, labels, tuple(workers), newest),
            (min(times, default=None), max(times, default=None)),
            dict(outside),
            len(lacking),
            sum(one.verdict is not None for one in lacking),
        )

    @property
    def notes(self) -> list[str]:
        """What was left out or is missing, in words; empty where nothing is."""
        found = [f"{count} ballots left out: {why}" for why, count in self.left_out.items()]
        if self.unjudged:
            found.append(
                f"{self.unjudged} of {len(self.cases)} tickets have no verdict,"
                f" {self.given_up} of them because the judge had no time"
            )
        return found


def _kept(
    decisions: list[LoggedDecision],
    wanted: Callable[[LoggedDecision], bool],
    why: str,
    outside: Counter[str],
) -> list[LoggedDecision]:
    found = [one for one in decisions if wanted(one)]
    if len(found) < len(decisions):
        outside[why] = len(decisions) - len(found)
    return found


def _is_uniform(one: LoggedDecision) -> bool:
    return _ballot(one).uniform


def _has_labels(version: str) -> Callable[[LoggedDecision], bool]:
    return lambda one: _ballot(one).label_set == version


def _has_workers(names: tuple[str, ...]) -> Callable[[LoggedDecision], bool]:
    # Who was asked beside the vote stands behind those who voted, whatever the order of the task.
    return lambda one: sorted(vote.worker for vote in _votes(one)) == sorted(names)


def _has_versions(newest: Versions) -> Callable[[LoggedDecision], bool]:
    return lambda one: all(newest[name] == version for name, version in _met(one).items())


def _newest(decisions: Sequence[LoggedDecision]) -> Versions:
    """The version of every model that was met last, by the ballots' times."""
    found: Versions = {}
    for one in sorted(decisions, key=lambda each: _ballot(each).at):
        found |= _met(one)
    return found


def _met(one: LoggedDecision) -> Versions:
    met = {vote.worker: vote.version for vote in _votes(one)}
    if one.verdict is not None and one.verdict.vector is not None:
        met[JUDGE] = one.verdict.judge
    return {name: version for name, version in met.items() if version}


def _cases(
    decisions: Sequence[LoggedDecision],
    task: str,
    labels: LabelSet,
    workers: tuple[str, ...],
    versions: Versions,
) -> Dataset:
    ballots = [_ballot(one).ballot for one in decisions]
    verdicts = [_vector(one) for one in decisions]
    return Dataset(
        task=task,
        labels=labels.labels,
        workers=workers,
        worker_predictions=tuple(_opinion_by(name, ballots, labels) for name in workers),
        judge=_opinion(verdicts, len(labels)),
        gold=np.array([_gold(one, labels) for one in decisions], np.int64),
        ids=tuple(_ballot(one).ticket_id for one in decisions),
        versions=versions,
    )


def _opinion_by(worker: str, ballots: Sequence[Ballot], labels: LabelSet) -> Predictions:
    places = [[vote.worker for vote in ballot.votes].index(worker) for ballot in ballots]
    asked = list(zip(places, ballots, strict=True))
    return predictions_of(
        [ballot.votes[place] for place, ballot in asked],
        [ballot.vectors[place] for place, ballot in asked],
        labels,
    )


def predictions_of(
    votes: Sequence[Vote], vectors: Sequence[Vector], labels: LabelSet
) -> Predictions:
    """One worker's opinion on N tickets, as it was before the temperature.

    A worker that named a label without a vector gives labels only.
    """
    named = [vote.label for vote in votes]
    if any(
        vector is None and name is not None for vector, name in zip(vectors, named, strict=True)
    ):
        label_ids = [ABSTAINED if name is None else labels.index[name] for name in named]
        return Predictions(np.array(label_ids, np.int64), None)
    return _opinion(vectors, len(labels))


def _opinion(vectors: Sequence[Vector], size: int) -> Predictions:
    there = np.array([vector is not None for vector in vectors], np.bool_)
    nothing = (0.0,) * size
    rows = np.array([vector or nothing for vector in vectors], np.float32).reshape(-1, size)
    return Predictions(np.where(there, rows.argmax(axis=1), ABSTAINED), rows)


def _gold(one: LoggedDecision, labels: LabelSet) -> int:
    if one.gold is None or one.gold.label_set != labels.version:
        return UNKNOWN
    return labels.index[one.gold.label]


def _ballot(one: LoggedDecision) -> BallotLog:
    assert one.ballot is not None  # decisions without one are left out first
    return one.ballot


def _votes(one: LoggedDecision) -> tuple[Vote, ...]:
    return _ballot(one).ballot.votes


def _vector(one: LoggedDecision) -> Vector:
    return None if one.verdict is None else one.verdict.vector
