"""An exact test that one of two is at most a margin worse, held to its own promise."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import multinomial

from streamer.learn.measures.non_inferiority import PairedCounts

OF, MARGIN = 40, 0.06


def chances(shares: np.ndarray) -> np.ndarray:
    """By share of differing tickets, of each outcome (gained, lost): its chance at the margin."""
    gained, lost = np.meshgrid(np.arange(OF + 1), np.arange(OF + 1), indexing="ij")
    possible = gained + lost <= OF
    found = np.zeros((len(shares), OF + 1, OF + 1))
    outcomes = np.stack([gained, lost, OF - gained - lost], axis=-1)[possible]
    for place, share in enumerate(shares):
        one, other = (share - MARGIN) / 2, (share + MARGIN) / 2
        found[place][possible] = multinomial.pmf(outcomes, OF, [one, other, 1 - share])
    return found


def test_the_chance_of_a_false_proof_is_at_most_that_stated() -> None:
    """Summed over every outcome there is, for any share of tickets on which the two differ."""
    shares = np.linspace(MARGIN, 0.6, 23)
    passes = np.zeros((OF + 1, OF + 1), np.bool_)
    for gained, lost in product(range(OF + 1), repeat=2):
        if gained + lost <= OF:
            passes[gained, lost] = PairedCounts(OF, gained, lost).chance(-MARGIN) <= 0.05
    false = (chances(shares) * passes).sum(axis=(1, 2))
    assert false.max() <= 0.0501
    assert false.max() > 0.03, "no more careful than it must be"


def test_a_test_by_the_seen_share_of_differing_tickets_would_break_it() -> None:
    """The negative control: passing wherever the lead itself lies above the margin's bound."""
    shares = np.linspace(MARGIN, 0.6, 23)
    gained, lost = np.meshgrid(np.arange(OF + 1), np.arange(OF + 1), indexing="ij")
    lead, spread = (gained - lost) / OF, np.sqrt(np.maximum(gained + lost, 0)) / OF
    passes = lead - 1.645 * spread > -MARGIN
    assert (chances(shares) * passes).sum(axis=(1, 2)).max() > 0.07


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (3, 1), (16, 10), (8, 20), (30, 0)])
def test_the_bound_is_where_the_test_turns(gained: int, lost: int) -> None:
    counts = PairedCounts(1700, gained, lost)
    bound = counts.bound(0.95)
    assert counts.chance(bound - 1e-4) <= 0.05 < counts.chance(bound + 1e-4)
    assert bound <= counts.lead
    interval = counts.interval
    other = PairedCounts(1700, lost, gained).interval
    assert (interval.low, interval.high) == (-other.high, -other.low)
    assert interval.low <= counts.lead <= interval.high


def test_more_tickets_that_say_the_same_prove_more() -> None:
    bounds = [PairedCounts(1700 * times, 8 * times, 8 * times).bound(0.95) for times in (1, 4, 16)]
    assert bounds == sorted(bounds)
    assert bounds[0] < -0.003 < bounds[1]


def test_how_many_tickets_superiority_takes_shows_it_in_four_of_five_logs() -> None:
    print("seed", 5)
    rng = np.random.default_rng(5)
    of = PairedCounts(10_000, 120, 60).tickets_for_superiority(0.95)
    assert of is not None
    seen = rng.multinomial(of, [0.012, 0.006, 0.982], 200)
    shown = [PairedCounts(of, gained, lost).chance(0.0) <= 0.05 for gained, lost, _ in seen]
    assert 0.68 < np.mean(shown) < 0.9
    assert PairedCounts(10_000, 60, 60).tickets_for_superiority(0.95) is None


def test_of_no_ticket_nothing_is_proven() -> None:
    none = PairedCounts(0, 0, 0)
    assert (none.chance(-0.5), none.bound(0.95)) == (1.0, -1.0)
    assert np.isnan(none.lead)
