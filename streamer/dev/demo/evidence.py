"""Everything that the demo measured, before it is turned into a report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.config import Settings
from streamer.config.tasks import Task
from streamer.decide.predictions import ABSTAINED
from streamer.dev.demo.accounts import Accounts
from streamer.dev.demo.calibrated import TriedCalibration
from streamer.dev.demo.scenario import Played
from streamer.dev.demo.workers_alone import Alone
from streamer.errors import ConfigError
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import Committee


@dataclass(frozen=True, slots=True)
class TaskEvidence:
    """One task on its N test tickets, as label indices [N] in one order.

    `live` is what classify and judge published, `agreed` the same where the workers decided and
    -1 elsewhere; `judge` the judge's verdict on every ticket; `alone` each worker's answers.
    """

    name: str
    labels: tuple[str, ...]
    committee: Committee
    gold: Labels
    live: Labels
    agreed: Labels
    judge: Labels
    alone: Mapping[str, Alone]


@dataclass(frozen=True, slots=True)
class Drain:
    """Both ways of labelling the same backlog of some tasks' tickets, in seconds per decision."""

    tasks: tuple[str, ...]
    tickets: int
    cascade: float
    judge_only: float


@dataclass(frozen=True, slots=True)
class OtherJudge:
    """A judge of another kind on the N test tickets of one task: `label_ids` [N], and its `cost` in
    seconds per decision, from a full topic.
    """

    kind: str
    task: str
    label_ids: Labels
    cost: float


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """The whole run. `judge` is the kind of the stack's own; `others` were only asked beside it."""

    judge: str
    others: Sequence[OtherJudge]
    tasks: Sequence[TaskEvidence]
    tried: Sequence[TriedCalibration]
    drains: Sequence[Drain]
    accounts: Accounts
    first_label_s: float
    restarts: int


def committee(task: Task) -> Committee:
    """The workers and rule that a task is configured with; raises `ConfigError`."""
    kind = task.rule.kind
    if kind != "majority" and kind != "unanimity":
        raise ConfigError("the demo counts votes: use the rule majority or unanimity for its tasks")
    return Committee(tuple(worker.model for worker in task.workers), kind)


def task_evidence(
    settings: Settings,
    name: str,
    tickets: Sequence[Played],
    verdicts: Mapping[tuple[Played, str], str],
    alone: Mapping[str, Alone],
    accounts: Accounts,
) -> TaskEvidence:
    """Line up all that is known of the `tickets` of one task."""
    task = settings.tasks[name]
    index = task.label_set.index
    published = {
        played: outcome for played, outcome, _ in accounts.outcomes() if outcome.task == name
    }
    live = [published.get(ticket) for ticket in tickets]
    return TaskEvidence(
        name=name,
        labels=task.labels,
        committee=committee(task),
        gold=_codes(index[ticket.gold[name]] for ticket in tickets),
        live=_codes(index.get(it.detail, ABSTAINED) if it else ABSTAINED for it in live),
        agreed=_codes(
            index[it.detail] if it and it.kind == "workers" else ABSTAINED for it in live
        ),
        judge=_codes(index[verdicts[ticket, name]] for ticket in tickets),
        alone=alone,
    )


def _codes(values: Iterable[int]) -> Labels:
    return np.fromiter(values, np.int64)
