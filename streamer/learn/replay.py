"""Decides every ticket of a log once more, from the log alone, and compares bit for bit."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from streamer.decide.after_rule import after_rule
from streamer.decide.before_judge import BeforeJudge
from streamer.decide.calibrated import recorded_rule
from streamer.decide.candidate import Candidate, candidate
from streamer.decide.decision import Decision
from streamer.decide.opinion import ABSTAINED, Opinion
from streamer.decide.rounding import DECIMALS
from streamer.decide.standing import standing
from streamer.decide.temperature import tempered
from streamer.decide.votes import plurality
from streamer.errors import ConfigError
from streamer.learn.joined import Decision as Place
from streamer.learn.joined import decision_of
from streamer.learn.known import Known
from streamer.learn.log_table import opinion_of
from streamer.records.label import Vote
from streamer.records.labelset import LabelSet
from streamer.records.log import AnswerLog, BallotLog, Log, Reason, VerdictLog

One = TypeVar("One", BallotLog, VerdictLog)
Ensembles = dict[Place, NDArray[np.float64]]
Found = Mapping[str, str | float | None]


@dataclass(frozen=True, slots=True)
class Difference:
    """What the log has of a decision, and what came of it now."""

    kind: str
    decision_id: str
    task: str
    field: str
    logged: str | float | None
    found: str | float | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many ballots and verdicts were decided again, what differs, and how many records could
    not be decided again, by the reason.
    """

    ballots: int
    verdicts: int
    differences: tuple[Difference, ...]
    skipped: Mapping[str, int]


def replay(logs: Iterable[Log], tasks: Mapping[str, LabelSet], known: Known) -> Replayed:
    """Decide all ballots and verdicts of `tasks`, label sets by name, again.

    A label that the budget published is taken to be the budget's doing: its state is not logged.
    A verdict is held to the last ballot of its decision.
    Raises `ConfigError` for a calibration, a routing or a rule that is not known.
    """
    skipped: Counter[str] = Counter()
    ballots, verdicts = _sorted(logs, tasks, skipped)
    last = {decision_of(log): log for log in ballots}
    ensembles: Ensembles = {}
    found: list[Difference] = []
    for some in _groups(ballots, _alike):
        labels = tasks[some[0].task]
        again = _Again.of(some, labels, known)
        found += again.differences(some, labels)
        for log, row in zip(some, again.ensembles(len(labels)), strict=True):
            if last[decision_of(log)] is log:
                ensembles[decision_of(log)] = row
    complete = [log for log in verdicts if log.after.kind == "v3" or decision_of(log) in last]
    if lost := len(verdicts) - len(complete):
        skipped["verdicts by a rule on ballots that are not in the log"] = lost
    for each in _groups(complete, lambda log: (log.task, log.calibration, log.after)):
        found += _verdicts(each, tasks[each[0].task], known, ensembles)
    return Replayed(len(ballots), len(complete), tuple(found), dict(skipped))


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
    found: dict[Hashable, list[One]] = defaultdict(list)
    for log in logs:
        found[alike(log)].append(log)
    return found.values()


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
    """N ballots that are alike, decided once more.

    `published` is -1 where the judge decides, `fallback` [N] marks labels that no rule vouches for.
    """

    published: Decision
    own: Candidate
    fallback: NDArray[np.bool_]
    deferred: Reason

    @classmethod
    def of(cls, logs: Sequence[BallotLog], labels: LabelSet, known: Known) -> "_Again":
        first = logs[0]
        if not first.served:
            return cls.undecided(len(logs))
        opinions, rule = _opinions(logs, labels, known), _rule(first, known)
        outage = not rule.decidable([vote.abstained != "outage" for vote in _seats(first, rule)])
        stood_in = _stood_in(first)
        # A cause that cannot have been publishes nothing here, and so the difference shows.
        by_outage = outage and stood_in == "outage"
        by_budget = first.mode == "sequential" and stood_in == "budget"
        accepted = rule.decide(opinions, rule.of - len(opinions))
        own = _own(accepted, opinions, by_outage)
        everything = by_outage or by_budget or first.mode == "optimistic"
        codes = own.codes if everything else accepted.codes
        doubted = (accepted.codes == ABSTAINED) & (codes != ABSTAINED)
        published = Decision(codes, np.round(own.confidence, DECIMALS), accepted.open)
        fallback = doubted & (by_outage or by_budget)
        return cls(published, own, fallback, "outage" if outage else "disagreement")

    @classmethod
    def undecided(cls, count: int) -> "_Again":
        """Tickets that went to the judge before any worker was asked."""
        codes, unknown = np.full(count, ABSTAINED), np.full(count, np.nan)
        nothing = np.zeros(count, np.bool_)
        own = Candidate(codes, unknown, None)
        return cls(Decision(codes, unknown, nothing), own, nothing, "judge_first")

    def ensembles(self, labels: int) -> NDArray[np.float64]:
        """The workers' means [N, K] as requests have them; zeros where they have none."""
        known = self.own.ensemble
        return (
            np.zeros((len(self.fallback), labels)) if known is None else np.round(known, DECIMALS)
        )

    def differences(self, logs: Sequence[BallotLog], labels: LabelSet) -> Iterator[Difference]:
        """What the logs of these ballots have otherwise."""
        columns = (self.published.codes, self.published.confidence, self.own.codes, self.fallback)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for log, (code, confidence, own, fallback) in zip(logs, rows, strict=True):
            found = self._unpublished() if code == ABSTAINED else _published(log, fallback)
            known = code != ABSTAINED and confidence == confidence
            names = {"label": _name(labels, code), "candidate": _name(labels, own)}
            yield from _differences(
                log, {**names, "confidence": confidence if known else None, **found}
            )

    def _unpublished(self) -> Found:
        return {"source": None, "deferred": self.deferred}


def _published(log: BallotLog, fallback: bool) -> Found:
    if fallback:
        return {"source": "fallback", "deferred": _stood_in(log)}
    return {"source": "workers", "deferred": None}


def _own(accepted: Decision, opinions: Sequence[Opinion], by_outage: bool) -> Candidate:
    """The label that the rule accepted, else the likeliest; in an outage what most say."""
    if by_outage:
        most = plurality(opinions)
        return Candidate(most.codes, most.confidence, None)
    own, silent = candidate(opinions), accepted.codes == ABSTAINED
    return Candidate(
        np.where(silent, own.codes, accepted.codes),
        np.where(silent, own.confidence, accepted.confidence),
        own.ensemble,
    )


def _verdicts(
    logs: Sequence[VerdictLog], labels: LabelSet, known: Known, ensembles: Ensembles
) -> Iterator[Difference]:
    first, nothing = logs[0], np.zeros(len(labels))
    calibration = known.calibration(first.calibration)
    stands = standing(
        after_rule(first.after.kind, first.after.alpha),
        np.array([log.vector for log in logs], np.float32),
        None if calibration is None else calibration.judge.temperature,
        np.array([labels.index.get(log.candidate or "", ABSTAINED) for log in logs], np.int64),
        np.array([ensembles.get(decision_of(log), nothing) for log in logs]),
    )
    for log, code, kept in zip(logs, stands.codes.tolist(), stands.kept.tolist(), strict=True):
        source = "workers" if kept else "judge"
        yield from _differences(log, {"published": _name(labels, code), "source": source})


def _differences(log: BallotLog | VerdictLog, found: Found) -> Iterator[Difference]:
    for field, value in found.items():
        logged = getattr(log, field)
        if logged != value:
            yield Difference(log.kind, log.decision_id, log.task, field, logged, value)


def _opinions(logs: Sequence[BallotLog], labels: LabelSet, known: Known) -> list[Opinion]:
    ballots, found = [log.ballot for log in logs], []
    temperatures = known.temperatures(logs[0])
    for place, vote in enumerate(_served(logs[0])):
        votes = [ballot.votes[place] for ballot in ballots]
        raw = opinion_of(votes, [ballot.vectors[place] for ballot in ballots], labels)
        temperature = temperatures.get(vote.worker)
        found.append(raw if temperature is None else tempered(raw, temperature))
    return found


def _rule(log: BallotLog, known: Known) -> BeforeJudge:
    workers = [vote.worker for vote in _served(log)]
    try:
        return recorded_rule(log.rule, workers, known.weights(log))
    except ValueError as error:
        raise ConfigError(f"{log.decision_id}: {error}, or replay with the one it was") from None


def _seats(log: BallotLog, rule: BeforeJudge) -> Sequence[Vote]:
    """One vote per place; whoever was not asked could have answered."""
    served = _served(log)
    return (*served, *[Vote("", None, None, None)] * (rule.of - len(served)))


def _name(labels: LabelSet, code: int) -> str | None:
    return labels.labels[code] if code >= 0 else None
