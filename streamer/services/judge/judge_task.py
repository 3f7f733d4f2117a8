"""A task as the judge service decides it."""

from dataclasses import dataclass

from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.arbitration_rules import ArbitrationRule
from streamer.records.calibration import Calibration
from streamer.records.label import After
from streamer.services.learned.rules import load_calibration, rule_after


@dataclass(frozen=True, slots=True)
class JudgeTask:
    """What follows from the judge's answer: `rule` is the one described in `after`.

    A verdict less sure than `review_below` goes to a person, and so does one of a judge that gives
    the labels less than `min_coverage` of its probability, all of them together.
    """

    after: After
    rule: ArbitrationRule
    calibration: Calibration | None = None
    review_below: float = 0.0
    min_coverage: float = 0.0

    @classmethod
    def of(
        cls, task: Task, calibration: Calibration | None = None, min_coverage: float = 0.0
    ) -> "JudgeTask":
        """As configured."""
        after = rule_after(task, calibration)
        rule = arbitration_rule(after.kind, after.alpha)
        return cls(after, rule, calibration, task.review_below or 0.0, min_coverage)

    def unsure(self, confidence: float, coverage: float | None) -> bool:
        """Of a verdict: its label has `confidence`; `coverage` as in `Verdicts`."""
        return not self.covered(coverage) or confidence < self.review_below

    def covered(self, coverage: float | None) -> bool:
        """Whether a verdict of this `coverage` says anything; None where nothing else could be."""
        return coverage is None or coverage >= self.min_coverage

    def calibrated(self, label_set: str) -> Calibration | None:
        """The calibration, if it is of this label set; a request may still be of an older one."""
        calibration = self.calibration
        return (
            calibration if calibration is not None and calibration.label_set == label_set else None
        )


def judge_tasks(settings: Settings) -> dict[str, JudgeTask]:
    """Every configured task; raises `ConfigError` for a calibration that is not of its task."""
    tasks = {}
    for name, task in settings.tasks.items():
        file = task.calibration
        calibration = None if file is None else load_calibration(name, task, settings.path(file))
        tasks[name] = JudgeTask.of(task, calibration, settings.judge.min_coverage)
    return tasks
