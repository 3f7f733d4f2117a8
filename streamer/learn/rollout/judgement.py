"""What is said of a trial: better, worse, or not yet known, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streamer.learn.data.decisions import LoggedDecision
from streamer.learn.measures.versions import VersionTrial, trials
from streamer.learn.rollout.paired import Paired, Verdict
from streamer.learn.rollout.promoted import Versions
from streamer.learn.rollout.vote import VoteComparison
from streamer.records.labelset import LabelSet

ALPHA = 0.05
"""The chance that a trial of versions that are no better is ever proposed (we choose)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One version on trial, and the test of it; no `trial` where the log has none of its answers"""

    worker: str
    serving: str
    version: str
    test: Paired
    trial: VersionTrial | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of one task's trial that began at `since`. Without `vote` that could not be compared, and
    `lacking` says why.
    """

    task: str
    since: str
    workers: tuple[Compared, ...]
    vote: VoteComparison | None
    lacking: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Better where a worker is, no other is worse, and the vote surely loses nothing."""
        verdicts = [worker.test.verdict for worker in self.workers]
        if "worse" in verdicts or (self.vote is not None and self.vote.harmful):
            return "worse"
        harmless = self.vote is not None and self.vote.harmless
        return "better" if "better" in verdicts and harmless else "not yet known"

    @property
    def reasons(self) -> list[str]:
        """Why it is not better; empty where it is."""
        if self.verdict == "better":
            return []
        reasons = [
            f"{worker.worker} version {worker.version} is worse than version {worker.serving}"
            for worker in self.workers
            if worker.test.verdict == "worse"
        ]
        if not any(worker.test.verdict == "better" for worker in self.workers):
            reasons.append("no version on trial is known to be better yet")
        if self.vote is None:
            reasons.append(self.lacking or "the vote could not be compared")
        elif not self.vote.harmless:
            agreement = "agrees" if self.vote.harmful else "may agree"
            reasons.append(
                f"the vote with them {agreement} with the judge less often by more than"
                f" {self.vote.tolerance:.1%}: difference {self.vote.lead.value:+.3f}, 95 %"
                f" [{self.vote.lead.low:+.3f}, {self.vote.lead.high:+.3f}]"
            )
        return reasons

    @property
    def more(self) -> int | None:
        """About how many more judged tickets the workers' test takes; None where unknown."""
        counts = [worker.test.more for worker in self.workers]
        return min((tickets for tickets in counts if tickets is not None), default=None)


def compared(
    decisions: Iterable[LoggedDecision], task: str, labels: LabelSet, versions: Versions
) -> Sequence[Compared]:
    """Every version on trial beside the one that serves, `versions` by worker.

    The chance of a false proposal is divided among them.
    """
    by_versions = {
        (trial.worker, trial.serving, trial.version): trial
        for trial in trials(decisions, task, labels)
    }
    alpha = ALPHA / len(versions)
    return [
        _compared(worker, serving, version, by_versions.get((worker, serving, version)), alpha)
        for worker, (serving, version) in versions.items()
    ]


def _compared(
    worker: str, serving: str, version: str, trial: VersionTrial | None, alpha: float
) -> Compared:
    total = 0 if trial is None or trial.judged is None else trial.judged.of
    gained, lost = (0, 0) if trial is None else (trial.gained, trial.lost)
    return Compared(worker, serving, version, Paired.test(total, gained, lost, alpha), trial)
