"""From settings to the rule that says whose label stands once the judge has answered."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from streamer.decide.after_judge import AfterJudge, Diff, Kept, Opt, TokenV3
from streamer.decide.distributions import Rows
from streamer.decide.opinion import Codes

AfterKind = Literal["v3", "diff", "opt", "opt_greedy"]


def after_rule(kind: AfterKind, alpha: float) -> AfterJudge:
    """The rule of this kind; raises `ValueError` for an alpha that it does not take.

    V3 with alpha 0 is served as what its users mean by it, the judge's label always. By its formula
    the workers' label would stand where the judge finds both equally likely.
    """
    if kind == "diff":
        return Diff(alpha)
    if kind == "v3":
        return TokenV3(alpha) if alpha != 0 else _JudgeAlways()
    return Opt(alpha, "soft" if kind == "opt" else "greedy")


@dataclass(frozen=True, slots=True)
class _JudgeAlways:
    def keeps(self, q: Rows, p: Rows, codes: Codes | None = None) -> Kept:
        return np.zeros(len(p), np.bool_)
