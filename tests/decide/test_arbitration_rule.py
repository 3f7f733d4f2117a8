"""The rule after the judge is the one that the settings name."""

import numpy as np
import pytest

from streamer.decide.arbitration_rule import arbitration_rule
from streamer.decide.arbitration_rules import (
    ArbitrationRule,
    Diff,
    Opt,
    TokenV1,
    TokenV2,
    TokenV3,
)
from streamer.decide.opinion_pool import OpinionPool

NAMED: dict[str, ArbitrationRule] = {
    "v3": TokenV3(0.25),
    "diff": Diff(0.25),
    "opt": Opt(0.25, "soft"),
    "opt_greedy": Opt(0.25, "greedy"),
    "pool": OpinionPool(0.25),
    "pool_linear": OpinionPool(0.25, "linear"),
    "v1": TokenV1(0.25),
    "v2": TokenV2(0.25),
}


@pytest.mark.parametrize("kind", NAMED)
def test_each_kind_is_its_rule(kind: str) -> None:
    assert arbitration_rule(kind, 0.25) == NAMED[kind]


def test_v3_at_zero_keeps_nothing_even_where_the_judge_finds_both_as_likely() -> None:
    q, p = np.array([[0.0, 1.0], [1.0, 0.0]]), np.full((2, 2), 0.5)
    assert TokenV3(0).keeps(q, p).tolist() == [True, True]
    assert arbitration_rule("v3", 0.0).keeps(q, p).tolist() == [False, False]


def test_another_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"no rule 'v4' .* use v3, diff, opt, opt_greedy, pool, "):
        arbitration_rule("v4", 0.25)
