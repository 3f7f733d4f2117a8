"""From options of the command line to what is computed with."""

import argparse
from collections.abc import Sequence
from typing import Any

from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.arbitration_rules import ArbitrationRule
from streamer.errors import ConfigError
from streamer.learn.calibrate.calibrate import Targets
from streamer.learn.calibrate.targets import Accuracy, Fidelity, JudgeShareTarget, Margin
from streamer.learn.evaluation.options import Prices

JUDGE = "judge"


def rule(text: str) -> dict[str, Any]:
    """A rule as `tasks.T.rule` has it: chow:alpha=0.1, or majority:confidence=mean,at_least=0.8.

    chow:0.1 is short for chow:alpha=0.1.
    """
    kind, _, parameters = text.partition(":")
    if kind == "chow" and parameters and "=" not in parameters:
        parameters = f"alpha={parameters}"
    pairs = [pair.partition("=") for pair in parameters.split(",") if pair]
    return {"kind": kind, **{name: value for name, _, value in pairs}}


def after(text: str) -> ArbitrationRule:
    """A rule after the judge, such as v2:0.1; raises `ConfigError`."""
    kind, _, alpha = text.partition(":")
    try:
        return arbitration_rule(kind, float(alpha or 0))
    except ValueError as error:
        raise ConfigError(f"--after {text}: {error}; write KIND:ALPHA, such as v3:0.2") from None


def prices(given: Sequence[tuple[str, float]]) -> Prices | None:
    """One number per model; None where none was given."""
    by_model = dict(given)
    return Prices(by_model, by_model.pop(JUDGE, 0.0)) if by_model else None


def margin(options: argparse.Namespace) -> Margin | None:
    """By how many points the rule after the judge may be worse; None where none was given."""
    if options.margin is None:
        return None
    return Margin(options.margin / 100, options.confidence)


def targets(options: argparse.Namespace) -> Targets:
    """The one target of the command line; raises `ConfigError` where it is out of range."""
    if options.judge_budget is not None:
        return JudgeShareTarget(options.judge_budget)
    if options.fidelity is not None:
        return Fidelity(options.fidelity, options.confidence)
    return Accuracy(options.accuracy, options.confidence)
