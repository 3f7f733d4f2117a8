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
from streamer.decide.candidate import candidate
from streamer.decide.decision import Decision
from streamer.decide.opinion import ABSTAINED, Codes, Opinion
from streamer.decide.rounding import DECIMALS
from streamer.decide.standing import standing
from streamer.decide.temperature import tempered
from streamer.decide.votes import plurality
from streamer.errors import ConfigError
from streamer.learn.log_table import opinion_of
from streamer.records.calibration import Calibration
from streamer.records.label import Vote
from streamer.records.labelset import LabelSet
from streamer.records.log import AnswerLog, BallotLog, Log, VerdictLog

Calibrations = Mapping[str, Calibration]
One = TypeVar("One", BallotLog, VerdictLog)
Ensembles = dict[str, NDArray[np.float64]]


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


def replay(
    logs: Iterable[Log], tasks: Mapping[str, LabelSet], calibrations: Calibrations
) -> Replayed:
    """Decide all ballots and verdicts of `tasks` again.

    `tasks` are label sets by name, `calibrations` are by version.

    A label that the budget published is taken to be the budget's doing: its state is not logged.
    A verdict is held to the last ballot of its decision.
    Raises `ConfigError` for a calibration or a rule that is not known.
    """
    skipped: Counter[str] = Counter()
    ballots, verdicts = _sorted(logs, tasks, skipped)
    ensembles: Ensembles = {}
    found: list[Difference] = []
    for some in _groups(ballots, _alike):
        found += _ballots(some, tasks[some[0].task], calibrations, ensembles)
    known = {log.decision_id for log in ballots}
    complete = [log for log in verdicts if log.after.kind == "v3" or log.decision_id in known]
    if lost := len(verdicts) - len(complete):
        skipped["verdicts by a rule on ballots that are not in the log"] = lost
    for each in _groups(complete, lambda log: (log.task, log.calibration, log.after)):
        found += _verdicts(each, tasks[each[0].task], calibrations, ensembles)
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
    votes = zip(log.ballot.votes, log.ballot.vectors, strict=True)
    kinds = tuple(
        (vote.worker, vote.abstained == "outage", vote.label is not None and vector is None)
        for vote, vector in votes
    )
    return log.task, log.calibration, log.rule, log.mode, log.source == "fallback", kinds


def _ballots(
    logs: Sequence[BallotLog], labels: LabelSet, calibrations: Calibrations, ensembles: Ensembles
) -> Iterator[Difference]:
    first = logs[0]
    calibration = _calibration(first.calibration, calibrations)
    opinions = _opinions(logs, labels, calibration)
    rule = _rule(first, calibration)
    accepted = rule.decide(opinions, rule.of - len(opinions))
    own = candidate(opinions)
    if own.ensemble is not None:
        rounded = np.round(own.ensemble, DECIMALS)
        ensembles |= {log.decision_id: row for log, row in zip(logs, rounded, strict=True)}
    named = np.where(accepted.codes == ABSTAINED, own.codes, accepted.codes)
    sure = np.where(accepted.codes == ABSTAINED, own.confidence, accepted.confidence)
    outage = not rule.decidable([vote.abstained != "outage" for vote in _seats(first, rule)])
    fallback = first.source == "fallback"
    codes = accepted.codes
    if fallback:
        codes = plurality(opinions).codes if outage else named
    elif first.mode == "optimistic":
        codes = named
    published = Decision(codes, np.round(sure, DECIMALS), accepted.open)
    reason = "outage" if outage else "budget" if fallback else "disagreement"
    yield from _compared(logs, labels, published, named, reason if fallback else None, reason)


def _compared(
    logs: Sequence[BallotLog],
    labels: LabelSet,
    published: Decision,
    named: Codes,
    labelled: str | None,
    unlabelled: str,
) -> Iterator[Difference]:
    """`labelled` and `unlabelled` are the reasons that tickets with and without a label have."""
    columns = (published.codes.tolist(), published.confidence.tolist(), named.tolist())
    for log, code, confidence, own in zip(logs, *columns, strict=True):
        silent = code == ABSTAINED or confidence != confidence
        found = {
            "label": _name(labels, code),
            "confidence": None if silent else confidence,
            "deferred": unlabelled if code == ABSTAINED else labelled,
            "candidate": _name(labels, own),
        }
        yield from _differences(log, found)


def _verdicts(
    logs: Sequence[VerdictLog], labels: LabelSet, calibrations: Calibrations, ensembles: Ensembles
) -> Iterator[Difference]:
    first, nothing = logs[0], np.zeros(len(labels))
    calibration = _calibration(first.calibration, calibrations)
    stands = standing(
        after_rule(first.after.kind, first.after.alpha),  # type: ignore[arg-type]
        np.array([log.vector for log in logs], np.float32),
        None if calibration is None else calibration.judge.temperature,
        np.array([labels.index.get(log.candidate or "", ABSTAINED) for log in logs], np.int64),
        np.array([ensembles.get(log.decision_id, nothing) for log in logs]),
    )
    for log, code, kept in zip(logs, stands.codes.tolist(), stands.kept.tolist(), strict=True):
        source = "workers" if kept else "judge"
        yield from _differences(log, {"published": _name(labels, code), "source": source})


def _differences(
    log: BallotLog | VerdictLog, found: Mapping[str, str | float | None]
) -> Iterator[Difference]:
    for field, value in found.items():
        logged = getattr(log, field)
        if logged != value:
            yield Difference(log.kind, log.decision_id, log.task, field, logged, value)


def _opinions(
    logs: Sequence[BallotLog], labels: LabelSet, calibration: Calibration | None
) -> list[Opinion]:
    ballots, found = [log.ballot for log in logs], []
    for place, vote in enumerate(ballots[0].votes):
        votes = [ballot.votes[place] for ballot in ballots]
        raw = opinion_of(votes, [ballot.vectors[place] for ballot in ballots], labels)
        model = None if calibration is None else calibration.models.get(vote.worker)
        found.append(raw if model is None else tempered(raw, model.temperature))
    return found


def _rule(log: BallotLog, calibration: Calibration | None) -> BeforeJudge:
    workers = [vote.worker for vote in log.ballot.votes]
    try:
        return recorded_rule(log.rule, workers, None if calibration is None else calibration.router)
    except ValueError as error:
        raise ConfigError(f"{log.decision_id}: {error}, or replay with the one it was") from None


def _seats(log: BallotLog, rule: BeforeJudge) -> Sequence[Vote]:
    """One vote per place; whoever was not asked could have answered."""
    missing = rule.of - len(log.ballot.votes)
    return (*log.ballot.votes, *[Vote("", None, None, None)] * missing)


def _calibration(version: str | None, known: Calibrations) -> Calibration | None:
    if version is not None and version not in known:
        raise ConfigError(
            f"the log was decided by calibration {version}, which is none of those given: name its"
            " file with --calibration"
        )
    return None if version is None else known[version]


def _name(labels: LabelSet, code: int) -> str | None:
    return labels.labels[code] if code >= 0 else None
