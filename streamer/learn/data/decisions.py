"""Log records by the decision that they belong to."""

from collections.abc import Iterable
from dataclasses import dataclass

from streamer.records.log import AnswerLog, BallotLog, Log, VerdictLog

DecisionKey = tuple[str, str]


def decision_of(log: Log) -> DecisionKey:
    """What a record belongs to.

    Not the decision id alone: it says where the ticket lay, and after the topic was made again
    another ticket lies there.
    """
    return log.decision_id, log.ticket_id


@dataclass(slots=True)
class LoggedDecision:
    """All that the log knows of one decision: the last ballot, verdict and answer to the gold
    sample. A verdict is not replaced by the note that a later one is missing.
    """

    ballot: BallotLog | None = None
    verdict: VerdictLog | None = None
    gold: AnswerLog | None = None

    def take(self, log: Log) -> None:
        """Add a record, the next in the order of the log."""
        if isinstance(log, BallotLog):
            self.ballot = log
        elif isinstance(log, AnswerLog):
            self.gold = log if log.gold else self.gold
        elif log.vector is not None or self.verdict is None:
            self.verdict = log


def logged_decisions(logs: Iterable[Log]) -> list[LoggedDecision]:
    """The records of each decision, in the order in which the log first names it."""
    by_key: dict[DecisionKey, LoggedDecision] = {}
    for log in logs:
        by_key.setdefault(decision_of(log), LoggedDecision()).take(log)
    return list(by_key.values())
