"""The rules of a task, made from its settings and its calibration."""

from pathlib import Path

from streamer.config.tasks import Task
from streamer.decide.calibrated import calibrated_rule
from streamer.decide.chow import Chow
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.votes import VoteRule
from streamer.errors import ConfigError, in_words
from streamer.records.calibration import Calibration
from streamer.records.label import JUDGE_STANDS, After


def rule_before(task: Task, calibration: Calibration | None) -> DeferralRule:
    """The rule that may spare the judge; raises `ConfigError` where the calibration has none."""
    wanted, names = task.rule, [worker.model for worker in task.workers]
    if wanted.kind == "calibrated":
        assert calibration is not None  # refused with the configuration
        try:
            return calibrated_rule(calibration)
        except ValueError as error:
            raise ConfigError(f"{task.calibration}: {error}") from None
    if wanted.kind != "chow":
        return VoteRule(wanted.kind, len(names), wanted.confidence, wanted.at_least)
    assert wanted.alpha is not None  # Chow's rule without it is refused with the configuration
    alone = None if wanted.worker is None else names.index(wanted.worker)
    return Chow(wanted.alpha, len(names), alone)


def rule_after(task: Task, calibration: Calibration | None) -> After:
    """The rule after the judge: as configured, or the calibration's; there it is the judge's own
    label that stands where nothing was proven, or there is no calibration yet.
    """
    if task.after.kind != "calibrated":
        return After(task.after.kind, task.after.alpha)
    proven = None if calibration is None else calibration.after
    return JUDGE_STANDS if proven is None else proven.rule


def load_calibration(name: str, task: Task, path: Path) -> Calibration:
    """The calibration of task `name` in a file; raises `ConfigError` where it is of another one."""
    try:
        calibration = Calibration.from_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"tasks.{name}.calibration: can't read {path} ({error.strerror}); run "
            "`streamer calibrate`, or leave the key out"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"tasks.{name}.calibration: {path} is no calibration ({in_words(error)}); run "
            "`streamer calibrate` again"
        ) from None
    expected = (name, task.label_set.version, tuple(worker.model for worker in task.workers))
    if (calibration.task, calibration.label_set, tuple(calibration.models)) != expected:
        raise ConfigError(
            f"tasks.{name}.calibration: {path} is of task {calibration.task!r} with workers "
            f"{', '.join(calibration.models)} and label set {calibration.label_set}; this task has "
            f"workers {', '.join(expected[2])} and label set {expected[1]}: run "
            "`streamer calibrate` again"
        )
    return calibration
