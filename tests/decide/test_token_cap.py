"""The cap on a judge's tokens holds in any hour, whatever is asked."""

import random

import pytest

from streamer.decide.token_cap import TokenCap

HOUR = 3600.0


def asked(cap: TokenCap, at: float, tokens: int, part: float = 1.0) -> int:
    """What one ticket at this time is charged."""
    if not cap.begin(at, part):
        return 0
    cap.end(tokens)
    return tokens


@pytest.mark.parametrize("parts", [(1.0,), (0.25, 0.75)])
def test_no_hour_costs_more_and_a_long_time_costs_nearly_all_of_it(
    parts: tuple[float, ...],
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    per_hour, now = 200_000, 0.0
    caps = [TokenCap(per_hour, now) for _ in parts]
    charged: list[tuple[float, int]] = []
    while now < 4 * HOUR:
        # Rushes, and quiet times in which tokens are saved.
        now += draw.expovariate(1.0 if int(now / 900) % 2 else 0.02)
        for cap, part in zip(caps, parts, strict=True):
            charged.append((now, asked(cap, now, draw.randint(300, 900), part)))
    for begin in range(0, int(3 * HOUR), 60):
        spent = sum(tokens for at, tokens in charged if begin <= at < begin + HOUR)
        # A ticket is let in by the mean of those before: the last one may cost a little more.
        assert spent <= per_hour + 900 * len(parts)
    busy = TokenCap(per_hour, 0.0)
    whole = sum(asked(busy, second / 2, 600) for second in range(int(6 * HOUR)))
    assert whole == pytest.approx(3 * 0.9 * per_hour, rel=0.05)


def test_what_is_asked_and_not_charged_yet_counts() -> None:
    cap = TokenCap(100_000, 0.0)
    assert asked(cap, 0.0, 1000) == 1000
    let_in = sum(cap.begin(0.0) for _ in range(50))
    # A tenth is saved, a thousand are gone, and each is taken for a thousand.
    assert let_in == 9
    assert cap.suspended
    for _ in range(let_in):
        cap.end(1000)
    assert (cap.left, cap.spent) == (0, 1)


def test_it_acts_until_half_has_come_back() -> None:
    cap = TokenCap(36_000, 0.0)
    while asked(cap, 0.0, 100):
        pass
    assert cap.acts(1.0)
    # Nine a second: half of 3,600 are there after 200 s.
    assert cap.acts(150.0)
    assert not cap.acts(250.0)
    assert not cap.suspended


def test_a_part_that_saves_less_than_a_ticket_gets_one_when_it_is_full() -> None:
    cap = TokenCap(2000, 0.0)
    assert asked(cap, 0.0, 500) == 500
    assert asked(cap, 60.0, 500) == 0
    assert asked(cap, 2 * HOUR, 500) == 500


def test_a_cap_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        TokenCap(0, 0.0)
