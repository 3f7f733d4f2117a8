"""From settings to the rule that says whose label stands once the judge has answered."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from streamer.decide.arbitration_rules import (
    ArbitrationRule,
    Diff,
    Kept,
    Opt,
    TokenV1,
    TokenV2,
    TokenV3,
)
from streamer.decide.distributions import Rows
from streamer.decide.opinion_pool import OpinionPool
from streamer.decide.predictions import LabelIds


def arbitration_rule(kind: str, alpha: float) -> ArbitrationRule:
    """The rule of this kind: v3, diff, opt, opt_greedy, pool, pool_linear, and for the replay
    v1 and v2.

    V3 with alpha 0 is served as what its users mean by it, the judge's label always. By its formula
    the workers' label would stand where the judge finds both equally likely. Raises `ValueError`
    for another kind, or an alpha that it does not take.
    """
    if kind == "v3":
        return TokenV3(alpha) if alpha != 0 else _JudgeAlways()
    rule_class = _KINDS.get(kind)
    if rule_class is None:
        raise ValueError(f"no rule {kind!r} after the judge: use v3, {', '.join(_KINDS)}")
    return rule_class(alpha)


@dataclass(frozen=True, slots=True)
class _JudgeAlways:
    def keeps(self, q: Rows, p: Rows, label_ids: LabelIds | None = None) -> Kept:
        return np.zeros(len(p), np.bool_)


_KINDS: dict[str, Callable[[float], ArbitrationRule]] = {
    "diff": Diff,
    "opt": Opt,
    "opt_greedy": partial(Opt, distance="greedy"),
    "pool": OpinionPool,
    "pool_linear": partial(OpinionPool, how="linear"),
    "v1": TokenV1,
    "v2": TokenV2,
}
