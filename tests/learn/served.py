"""A log as the services write it, of planted cases: their own code decides and writes here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np

from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.budget import JudgeBudget
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.sampling import Sample
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.vote_result import Provenance
from streamer.decide.votes import VoteRule
from streamer.judging.judge import JudgeScores as JudgeAnswer
from streamer.learn.data.dataset import Dataset
from streamer.observe.tracing import Tracing
from streamer.records.calibration import Calibration
from streamer.records.identities import digests
from streamer.records.judge_request import Purpose
from streamer.records.label import After
from streamer.records.labelset import LabelSet
from streamer.records.log import Log
from streamer.records.ticket import Ticket
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.disposed import Disposed
from streamer.services.classify.publish.ballots import Ballots
from streamer.services.classify.publish.logs import Logs
from streamer.services.classify.publish.requests import Requests
from streamer.services.classify.task import ClassifyTask
from streamer.services.classify.vote.calibrated_rule import CalibratedRule
from streamer.services.classify.vote.voting import Voting
from streamer.services.judge.judge_task import JudgeTask
from streamer.services.judge.verdicts import Verdicts
from streamer.workers.faults import WorkerOut
from streamer.workers.worker import WorkerAnswer
from tests.services.records import Rec

TRACING = Tracing("test", 0.0)
AT = "2026-01-01T00:00:00.000Z"


class Planted:
    """A worker that knows what it says of the ticket whose number is the text."""

    def __init__(self, model: str, rows: np.ndarray | None) -> None:
        self.model = model
        self._rows = rows

    async def answer(self, tensor: Any, traceparent: str | None) -> WorkerAnswer:
        if self._rows is None:
            raise WorkerOut(self.model, 1.0, None)
        return WorkerAnswer("1", self._rows[[int(text) for text in tensor.texts]])


@dataclass(frozen=True)
class Serving:
    """How the planted cases are served; `out` workers never answer."""

    rule: DeferralRule = field(default_factory=lambda: VoteRule("majority", 3))
    after: After = field(default_factory=lambda: After("v3", 0.0))
    policy: ServingPolicy = field(default_factory=ServingPolicy)
    budget: JudgeBudget | None = None
    calibration: Calibration | None = None
    audit: float = 1.0
    verify: float = 0.0
    out: Sequence[str] = ()

    async def log(self, cases: Dataset) -> list[Log]:
        """Ballots and verdicts of all tickets, in batches as they were decided."""
        pairs = zip(cases.workers, cases.worker_predictions, strict=True)
        workers = [
            Planted(name, None if name in self.out else predictions.probabilities)
            for name, predictions in pairs
        ]
        known = self.calibration.models if self.calibration else {}
        heat = {name: model.temperature for name, model in known.items()}
        version = None if self.calibration is None else self.calibration.version
        voting = Voting(
            workers,
            [
                CalibratedRule(
                    self.rule, Provenance(self.rule.described(cases.workers), version), heat
                )
            ],
            self.policy.on_outage,
        )
        labels = LabelSet(cases.labels)
        task = ClassifyTask(
            cases.task,
            labels,
            voting,
            None,
            self.policy,
            budget=self.budget,
            needs_ensemble=self.after != After("v3", 0.0),
            verify=self.verify,
        )
        return await self._decided(task, cases)

    async def _decided(self, task: ClassifyTask, cases: Dataset) -> list[Log]:
        numbers = np.arange(len(cases))
        uniform, verify = (numbers % 1000 < share * 1000 for share in (self.audit, self.verify))
        found: list[Log] = []
        with TRACING.batch("tickets", [], 1) as calls:
            texts = [b"%d" % number for number in numbers]
            async for vote_result in task.voting.run(texts, calls, uniform):
                rows = vote_result.rows
                sample = Sample(uniform[rows], verify[rows], uniform[rows], uniform[rows])
                disposed = Disposed.of(task, vote_result, sample, 0.0, 1.0)
                found += self._logs(task, cases, disposed)
        return found

    def _logs(self, task: ClassifyTask, cases: Dataset, disposed: Disposed) -> list[Log]:
        vote_result, disposition = disposed.vote_result, disposed.disposition
        ballots = Ballots(vote_result.worker_votes, task.label_set)
        everybody = (*vote_result.worker_votes, *vote_result.audit_votes)
        logs = Logs("support", task, disposed, Ballots(everybody, task.label_set), AT)
        requests = Requests("support", task, disposed, ballots)
        arrivals = [_arrival(cases, row) for row in vote_result.rows.tolist()]
        purposes = {purpose: getattr(disposition, purpose) for purpose in get_args(Purpose)}
        found: list[Log] = [logs.make(arrival, place) for place, arrival in enumerate(arrivals)]
        asked = [
            (vote_result.rows[place], requests.make(arrivals[place], place, purpose, ""))
            for purpose, marks in purposes.items()
            for place in np.flatnonzero(marks)
        ]
        if asked:
            rows, made = zip(*asked, strict=True)
            probabilities = cases.judge.probabilities
            assert probabilities is not None
            verdicts = Verdicts(
                JudgeTask(
                    self.after,
                    arbitration_rule(self.after.kind, self.after.alpha),
                    self.calibration,
                ),
                task.label_set,
                "7",
                made,
                JudgeAnswer(probabilities[list(rows)], np.zeros(len(rows), np.bool_)),
                AT,
            )
            found += [verdicts.log(place) for place in range(len(made))]
        return found


def _arrival(cases: Dataset, row: int) -> Arrival:
    record = Rec(b"{}", None, row)
    trace = TRACING.ticket((), "0" * 32, record)
    (digest,) = digests("support", [record])
    return Arrival(record, Ticket(cases.ids[row], str(row), AT), digest, trace, 0.0)
