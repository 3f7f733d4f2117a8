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
    """The `dataset` of one task, the times of the first and last of them, and what the log lacks.

    `left_out` counts ballots that are not in it, by the reason. `unjudged` tickets have no verdict;
    of them `given_up` were audits that the judge had no time for.
    """

    dataset: Dataset
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
        mine = [
            decision
            for decision in decisions
            if decision.ballot is not None and decision.ballot.task == task
        ]
        outside: Counter[str] = Counter()
        mine = _kept(mine, _is_uniform, "not of the uniform stratum", outside)
        mine = _kept(mine, _has_labels(labels.version), "of another label set", outside)
        mine = _kept(mine, _has_workers(tuple(workers)), "without the answers of all", outside)
        newest = _newest(mine)
        mine = _kept(mine, _has_versions(newest), "of older models", outside)
        times = [_ballot(decision).at for decision in mine]
        lacking = [decision for decision in mine if _vector(decision) is None]
        return cls(
            _cases(mine, task, labels, tuple(workers), newest),
            (min(times, default=None), max(times, default=None)),
            dict(outside),
            len(lacking),
            sum(decision.verdict is not None for decision in lacking),
        )

    @property
    def notes(self) -> list[str]:
        """What was left out or is missing, in words; empty where nothing is."""
        notes = [f"{count} ballots left out: {why}" for why, count in self.left_out.items()]
        if self.unjudged:
            notes.append(
                f"{self.unjudged} of {len(self.dataset)} tickets have no verdict,"
                f" {self.given_up} of them because the judge had no time"
            )
        return notes


def _kept(
    decisions: list[LoggedDecision],
    wanted: Callable[[LoggedDecision], bool],
    why: str,
    outside: Counter[str],
) -> list[LoggedDecision]:
    kept = [decision for decision in decisions if wanted(decision)]
    if len(kept) < len(decisions):
        outside[why] = len(decisions) - len(kept)
    return kept


def _is_uniform(decision: LoggedDecision) -> bool:
    return _ballot(decision).uniform


def _has_labels(version: str) -> Callable[[LoggedDecision], bool]:
    return lambda decision: _ballot(decision).label_set == version


def _has_workers(names: tuple[str, ...]) -> Callable[[LoggedDecision], bool]:
    # Who was asked beside the vote stands behind those who voted, whatever the order of the task.
    return lambda decision: sorted(vote.worker for vote in _votes(decision)) == sorted(names)


def _has_versions(newest: Versions) -> Callable[[LoggedDecision], bool]:
    return lambda decision: all(newest[name] == version for name, version in _met(decision).items())


def _newest(decisions: Sequence[LoggedDecision]) -> Versions:
    """The version of every model that was met last, by the ballots' times."""
    newest: Versions = {}
    for decision in sorted(decisions, key=lambda decision: _ballot(decision).at):
        newest |= _met(decision)
    return newest


def _met(decision: LoggedDecision) -> Versions:
    met = {vote.worker: vote.version for vote in _votes(decision)}
    if decision.verdict is not None and decision.verdict.vector is not None:
        met[JUDGE] = decision.verdict.judge
    return {name: version for name, version in met.items() if version}


def _cases(
    decisions: Sequence[LoggedDecision],
    task: str,
    labels: LabelSet,
    workers: tuple[str, ...],
    versions: Versions,
) -> Dataset:
    ballots = [_ballot(decision).ballot for decision in decisions]
    verdicts = [_vector(decision) for decision in decisions]
    return Dataset(
        task=task,
        labels=labels.labels,
        workers=workers,
        worker_predictions=tuple(_predictions_by(name, ballots, labels) for name in workers),
        judge=_predictions(verdicts, len(labels)),
        gold=np.array([_gold(decision, labels) for decision in decisions], np.int64),
        ids=tuple(_ballot(decision).ticket_id for decision in decisions),
        versions=versions,
    )


def _predictions_by(worker: str, ballots: Sequence[Ballot], labels: LabelSet) -> Predictions:
    indexes = [[vote.worker for vote in ballot.votes].index(worker) for ballot in ballots]
    asked = list(zip(indexes, ballots, strict=True))
    return predictions_of(
        [ballot.votes[index] for index, ballot in asked],
        [ballot.vectors[index] for index, ballot in asked],
        labels,
    )


def predictions_of(
    votes: Sequence[Vote], vectors: Sequence[Vector], labels: LabelSet
) -> Predictions:
    """One worker's predictions on N tickets, as it was before the temperature.

    A worker that named a label without a vector gives labels only.
    """
    named = [vote.label for vote in votes]
    if any(
        vector is None and name is not None for vector, name in zip(vectors, named, strict=True)
    ):
        label_ids = [ABSTAINED if name is None else labels.index[name] for name in named]
        return Predictions(np.array(label_ids, np.int64), None)
    return _predictions(vectors, len(labels))


def _predictions(vectors: Sequence[Vector], size: int) -> Predictions:
    there = np.array([vector is not None for vector in vectors], np.bool_)
    nothing = (0.0,) * size
    rows = np.array([vector or nothing for vector in vectors], np.float32).reshape(-1, size)
    return Predictions(np.where(there, rows.argmax(axis=1), ABSTAINED), rows)


def _gold(decision: LoggedDecision, labels: LabelSet) -> int:
    if decision.gold is None or decision.gold.label_set != labels.version:
        return UNKNOWN
    return labels.index[decision.gold.label]


def _ballot(decision: LoggedDecision) -> BallotLog:
    assert decision.ballot is not None  # decisions without one are left out first
    return decision.ballot


def _votes(decision: LoggedDecision) -> tuple[Vote, ...]:
    return _ballot(decision).ballot.votes


def _vector(decision: LoggedDecision) -> Vector:
    return None if decision.verdict is None else decision.verdict.vector
