"""Samples that are drawn by the tickets' ids."""

import numpy as np
import pytest

from streamer.decide.sampling import drawn

IDS = [f"ticket {number}" for number in range(40_000)]
PINNED = {
    "audit": [38, 367],
    "log": [31, 138, 166, 334, 390],
    "gold": [42, 79, 165, 168, 241],
    "verify": [15, 92, 136, 199, 271],
}


def test_what_is_drawn_never_changes() -> None:
    at = {
        purpose: np.flatnonzero(drawn(IDS[:400], "streamer", purpose, 0.01)).tolist()
        for purpose in PINNED
    }
    assert at == PINNED
    assert np.flatnonzero(drawn(IDS[:400], "other", "audit", 0.01)).tolist() == [
        36,
        90,
        150,
        259,
        309,
        378,
    ]


def test_a_ticket_is_drawn_alike_alone_and_among_many() -> None:
    long = [*IDS[:50], "é" * 500, "", IDS[51]]
    alone = [bool(drawn([name], "s", "log", 0.3)[0]) for name in long]
    assert drawn(long, "s", "log", 0.3).tolist() == alone


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_a_share_is_drawn_for_each_purpose_and_independently(share: float) -> None:
    draws = np.array([drawn(IDS, "streamer", purpose, share) for purpose in PINNED])
    four_errors = 4 * np.sqrt(share * (1 - share) / len(IDS))
    assert np.abs(draws.mean(axis=1) - share).max() < four_errors
    both = share**2
    for one in range(len(PINNED)):
        for other in range(one):
            together = (draws[one] & draws[other]).mean()
            assert abs(together - both) < 4 * np.sqrt(both * (1 - both) / len(IDS))


def test_a_greater_share_keeps_what_a_smaller_one_draws() -> None:
    less, more = (drawn(IDS, "s", "audit", share) for share in (0.1, 0.2))
    assert more[less].all()
    assert not drawn(IDS, "s", "audit", 0).any()
    assert drawn(IDS, "s", "audit", 1).all()
    assert len(drawn([], "s", "audit", 0.5)) == 0
