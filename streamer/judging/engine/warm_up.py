"""Tickets to try at start, so that the first real one finds every size of batch tried before."""

from collections.abc import Iterator

_TEXTS = (
    "Password reset link never arrives",
    "The invoice for March shows two seats that we cancelled, and nobody answers on the phone.",
    "Since the update on Monday the export hangs at 40 percent. I have tried another browser, "
    "cleared the cache and asked a colleague, who sees the same on her machine. " * 3,
    "We moved our whole team to the new plan last week, and since then the single sign-on asks "
    "for a code that no one receives. " * 40,
)
_ROUNDS = 2


def warm_up(times: int = 16) -> Iterator[tuple[str, ...]]:
    """Batches of one, a few, and `times` as many, twice over."""
    for _ in range(_ROUNDS):
        yield from (_TEXTS[:1], _TEXTS, _TEXTS * times)
