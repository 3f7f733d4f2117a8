"""Decides every ticket of a log once more, from the log alone, and compares bit for bit."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from streamer.decide.arbitration import arbitrate
from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.arbitration_rules import Diff, Opt
from streamer.decide.calibrated import recorded_rule
from streamer.decide.candidate import workers_candidate
from streamer.decide.decision import Decision
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.disposition import Disposition, dispose
from streamer.decide.distributions import Rows
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.rounding import DECIMALS
from streamer.decide.sampling import Sample
from streamer.decide.serving_policy import ServingPolicy
from streamer.errors import ConfigError
from streamer.learn.data.decisions import DecisionKey, decision_of
from streamer.learn.data.log_table import predictions_of
from streamer.learn.replay.formerly import Reckoning, formerly, now
from streamer.learn.replay.known_versions import KnownVersions
from streamer.records.label import Vote
from streamer.records.labelset import LabelSet
from streamer.records.log import AnswerLog, BallotLog, Log, Reason, VerdictLog

One = TypeVar("One", BallotLog, VerdictLog)
Ensembles = dict[DecisionKey, list[NDArray[np.float64]]]
Found = Mapping[str, str | float | None]

_AT_THRESHOLD = "at the threshold"
_MAJORITY = "mean against majority"
_COLD = "cold temperature"


@dataclass(frozen=True, slots=True)
class Difference:
    """What the log has of a decision, and what came of it now."""

    kind: str
    decision_id: str
    task: str
    field: str
    logged: str | float | None
    found: str | float | None


Differences = Mapping[int, Sequence[Difference]]


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many ballots and verdicts were decided again, what differs, and how many records could
    not be decided again, by the reason.

    `otherwise` are apart, by the reason: records that come out to the letter as decisions were
    calculated before `formerly.SINCE`, and differently now.
    """

    ballots: int
    verdicts: int
    differences: tuple[Difference, ...]
    otherwise: Mapping[str, tuple[Difference, ...]]
    skipped: Mapping[str, int]


def replay(logs: Iterable[Log], tasks: Mapping[str, LabelSet], versions: KnownVersions) -> Replayed:
    """Decide all ballots and verdicts of `tasks`, label sets by name, again.

    A label that the budget published is taken to be the budget's doing: its state is not logged.
    A verdict is held to the last ballot of its decision.
    Raises `ConfigError` for a calibration, a routing or a rule that is not known.
    """
    skipped: Counter[str] = Counter()
    ballots, verdicts = _sorted(logs, tasks, skipped)
    last = {decision_of(log): log for log in ballots}
    ensembles: Ensembles = {}
    outcome = _Found()
    for alike_ballots in _groups(ballots, _alike):
        labels = tasks[alike_ballots[0].task]
        again, before = (
            _Again.of(alike_ballots, labels, versions, how) for how in (now(), formerly())
        )
        outcome.add(
            again.differences(alike_ballots, labels),
            before.differences(alike_ballots, labels),
            again.why(before),
        )
        means = (each.ensembles(len(labels)) for each in (again, before))
        for log, *rows in zip(alike_ballots, *means, strict=True):
            if last[decision_of(log)] is log:
                ensembles[decision_of(log)] = rows
    complete = [log for log in verdicts if log.after.kind == "v3" or decision_of(log) in last]
    if lost := len(verdicts) - len(complete):
        skipped["verdicts by a rule on ballots that are not in the log"] = lost
    for each in _groups(complete, lambda log: (log.task, log.calibration, log.after)):
        outcome.add(*_verdicts(each, tasks[each[0].task], versions, ensembles))
    apart = {why: tuple(differences) for why, differences in outcome.otherwise.items()}
    return Replayed(len(ballots), len(complete), tuple(outcome.differences), apart, dict(skipped))


@dataclass(frozen=True, slots=True)
class _Found:
    differences: list[Difference] = field(default_factory=list)
    otherwise: dict[str, list[Difference]] = field(default_factory=dict)

    def add(self, now: Differences, before: Differences, why: Callable[[int], str]) -> None:
        """Of records that are decided now and as before, by index; `why` says what it may be."""
        for index, differences in now.items():
            if index in before:
                self.differences.extend(differences)
            else:
                self.otherwise.setdefault(why(index), []).extend(differences)


def _sorted(
    logs: Iterable[Log], tasks: Mapping[str, LabelSet], skipped: Counter[str]
) -> tuple[list[BallotLog], list[VerdictLog]]:
    ballots: list[BallotLog] = []
    verdicts: list[VerdictLog] = []
    for log in logs:
        if isinstance(log, AnswerLog):
            continue
        if log.task not in tasks or log.label_set != tasks[log.task].version:
            skipped["of a task or label set that is not configured"] += 1
        elif isinstance(log, BallotLog):
            ballots.append(log)
        elif log.vector is None or log.published is None:
            skipped["verdicts of which no label was published"] += 1
        else:
            verdicts.append(log)
    return ballots, verdicts


def _groups(logs: Iterable[One], alike: Callable[[One], Hashable]) -> Iterable[list[One]]:
    by_kind: dict[Hashable, list[One]] = defaultdict(list)
    for log in logs:
        by_kind[alike(log)].append(log)
    return by_kind.values()


def _alike(log: BallotLog) -> Hashable:
    """Ballots with the same are decided in one go."""
    votes = zip(_served(log), log.ballot.vectors, strict=False)
    kinds = tuple(
        (vote.worker, vote.abstained == "outage", vote.label is not None and vector is None)
        for vote, vector in votes
    )
    decided = (log.calibration, log.segment, log.rule, log.mode, _stood_in(log))
    return log.task, *decided, kinds


def _served(log: BallotLog) -> Sequence[Vote]:
    """The votes that decided."""
    return log.ballot.votes[: log.served]


def _stood_in(log: BallotLog) -> Reason | None:
    """Why a fallback was published, where it was."""
    return log.deferred if log.source == "fallback" else None


@dataclass(frozen=True, slots=True)
class _Again:
    """N ballots that are alike, decided once more."""

    worker_predictions: Sequence[Predictions]
    disposition: Disposition

    @classmethod
    def of(
        cls, logs: Sequence[BallotLog], labels: LabelSet, versions: KnownVersions, how: Reckoning
    ) -> "_Again":
        predictions, decision, outage = _voted(logs, labels, versions, how)
        # A cause that cannot have been publishes nothing here, and so the difference shows.
        stood_in = _stood_in(logs[0])
        policy = ServingPolicy(logs[0].mode, "fallback" if stood_in == "outage" else "judge")
        disposition = dispose(
            decision,
            workers_candidate(decision, predictions, policy, outage, mean=True),
            policy,
            Sample.none(len(logs)),
            asked=bool(predictions),
            outage=outage,
            allowed=np.full(len(logs), stood_in != "budget"),
        )
        return cls(predictions, disposition)

    def ensembles(self, labels: int) -> NDArray[np.float64]:
        """The workers' means [N, K] as requests have them; zeros where they have none."""
        ensemble = self.disposition.candidate.ensemble
        if ensemble is None:
            return np.zeros((len(self.disposition.fallback), labels))
        # What has underflowed before is null in a request, and so unknown to the judge.
        usable = np.isfinite(ensemble).all(axis=1, keepdims=True)
        return np.where(usable, np.round(ensemble, DECIMALS), 0)

    def differences(self, logs: Sequence[BallotLog], labels: LabelSet) -> Differences:
        """What the logs of these ballots have otherwise."""
        published, candidates = self.disposition.published, self.disposition.candidate.label_ids
        confidence = np.round(published.confidence, DECIMALS).tolist()
        again = [
            {
                "label": _name(labels, published.label_ids[row]),
                "candidate": _name(labels, candidates[row]),
                "confidence": confidence[row] if isfinite(confidence[row]) else None,
                "source": self.disposition.source(row),
                "deferred": self.disposition.why(row),
            }
            for row in range(len(logs))
        ]
        return _differences(logs, again)

    def why(self, before: "_Again") -> Callable[[int], str]:
        """By index, why the same ballots came out otherwise before."""
        pairs = [
            (mine.probabilities, other.probabilities)
            for mine, other in zip(self.worker_predictions, before.worker_predictions, strict=True)
        ]
        return lambda place: _COLD if _unlike(pairs, place) else _AT_THRESHOLD


def _voted(
    logs: Sequence[BallotLog], labels: LabelSet, versions: KnownVersions, how: Reckoning
) -> tuple[Sequence[Predictions], Decision, bool]:
    """What the workers say, what the rule decides, and whether too many were out for any label to
    stand.
    """
    first = logs[0]
    if not first.served:
        return (), Decision.none(len(logs)), False
    predictions, rule = _predictions(logs, labels, versions, how), _rule(first, versions)
    outage = not rule.decidable(
        [vote.abstained != "outage" for vote in _votes_in_order(first, rule)]
    )
    return predictions, how.decided(rule, predictions), outage


def _verdicts(
    logs: Sequence[VerdictLog], labels: LabelSet, versions: KnownVersions, ensembles: Ensembles
) -> tuple[Differences, Differences, Callable[[int], str]]:
    """What the logs of these verdicts have otherwise than now, and than before, and why."""
    first, nothing = logs[0], [np.zeros(len(labels))] * 2
    rule = arbitration_rule(first.after.kind, first.after.alpha)
    calibration = versions.calibration(first.calibration)
    vectors = np.array([log.vector for log in logs], np.float32)
    predictions = Predictions(vectors.argmax(axis=1), vectors)
    workers = np.array([labels.index.get(log.candidate or "", ABSTAINED) for log in logs], np.int64)
    means = np.array([ensembles.get(decision_of(log), nothing) for log in logs]).swapaxes(0, 1)
    differences, judged = [], []
    for how, mean in zip((now(), formerly()), means, strict=True):
        warm = (
            predictions
            if calibration is None
            else how.tempered(predictions, calibration.judge.temperature)
        )
        rows = vectors if warm.probabilities is None else warm.probabilities
        stands = arbitrate(how.after(rule), rows, None, workers, mean)
        again = [
            {"published": _name(labels, label_id), "source": stands.source(row)}
            for row, label_id in enumerate(stands.label_ids.tolist())
        ]
        differences.append(_differences(logs, again))
        judged.append(rows)

    def why(index: int) -> str:
        if _unlike([(judged[0], judged[1]), (means[0], means[1])], index):
            return _COLD
        unlikely = workers[index] != means[0, index].argmax()
        return _MAJORITY if unlikely and isinstance(rule, Diff | Opt) else _AT_THRESHOLD

    return differences[0], differences[1], why


def _unlike(pairs: Iterable[tuple[Rows | None, Rows | None]], index: int) -> bool:
    """Whether any two rows at this index differ."""
    return any(
        mine is not None and other is not None and bool((mine[index] != other[index]).any())
        for mine, other in pairs
    )


def _differences(logs: Sequence[BallotLog | VerdictLog], outcomes: Iterable[Found]) -> Differences:
    """By index, of those that differ at all."""
    differing = {}
    for index, (log, again) in enumerate(zip(logs, outcomes, strict=True)):
        logged = {name: getattr(log, name) for name in again}
        if logged != again:
            differing[index] = [
                Difference(log.kind, log.decision_id, log.task, name, logged[name], value)
                for name, value in again.items()
                if logged[name] != value
            ]
    return differing


def _predictions(
    logs: Sequence[BallotLog], labels: LabelSet, versions: KnownVersions, how: Reckoning
) -> list[Predictions]:
    ballots, predictions = [log.ballot for log in logs], []
    temperatures = versions.temperatures(logs[0])
    for index, vote in enumerate(_served(logs[0])):
        votes = [ballot.votes[index] for ballot in ballots]
        raw = predictions_of(votes, [ballot.vectors[index] for ballot in ballots], labels)
        temperature = temperatures.get(vote.worker)
        predictions.append(raw if temperature is None else how.tempered(raw, temperature))
    return predictions


def _rule(log: BallotLog, versions: KnownVersions) -> DeferralRule:
    workers = [vote.worker for vote in _served(log)]
    try:
        return recorded_rule(log.rule, workers, versions.weights(log))
    except ValueError as error:
        raise ConfigError(f"{log.decision_id}: {error}, or replay with the one it was") from None


def _votes_in_order(log: BallotLog, rule: DeferralRule) -> Sequence[Vote]:
    """One vote per worker; whoever was not asked could have answered."""
    served = _served(log)
    return (*served, *[Vote("", None, None, None)] * (rule.of - len(served)))


def _name(labels: LabelSet, label_id: int) -> str | None:
    return labels.labels[label_id] if label_id >= 0 else None
