"""What the workers said of some tickets, ready to be written into records."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamer.records.judge_request import Ballot
from streamer.records.label import Vote
from streamer.records.labelset import LabelSet
from streamer.services.voting import Seat

DIGITS = 5


class Ballots:
    """The votes of N tickets of one task, by columns: a row per worker and a column per ticket.

    `kinds` says of each worker its name, version and why it would be absent; `codes` [W, N] and
    `shares` [W, N] what it said and how likely it is, NaN where it said nothing.
    """

    def __init__(self, seats: Sequence[Seat], label_set: LabelSet) -> None:
        self._seats = seats
        self._names = (*label_set.labels, None)
        self.kinds = tuple((seat.worker, seat.version, seat.absent) for seat in seats)
        self.codes: NDArray[np.int64] = np.stack([seat.opinion.codes for seat in seats])
        self.shares = rounded(np.stack([s.opinion.of_label(s.opinion.codes) for s in seats]))

    def votes(self, codes: Sequence[int], shares: Sequence[float]) -> tuple[Vote, ...]:
        """Votes for these labels (-1 for none), one per worker, with their probabilities."""
        return tuple(
            Vote(
                worker,
                version,
                self._names[code],
                None if share != share else share,
                None if code >= 0 else absent or "unusable",
            )
            for (worker, version, absent), code, share in zip(
                self.kinds, codes, shares, strict=True
            )
        )

    def votes_on(self, ticket: int) -> tuple[Vote, ...]:
        """The votes on one of the tickets."""
        return self.votes(self.codes[:, ticket].tolist(), self.shares[:, ticket].tolist())

    def ballot_on(self, ticket: int) -> Ballot:
        """The votes on one of the tickets, with their vectors."""
        vectors = tuple(_vector(seat, ticket) for seat in self._seats)
        return Ballot(self.votes_on(ticket), vectors)


def rounded(values: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities as they are published."""
    return np.asarray(np.round(values.astype(np.float64), DIGITS))


def _vector(seat: Seat, ticket: int) -> tuple[float, ...] | None:
    probabilities = seat.opinion.probabilities
    if probabilities is None or seat.opinion.codes[ticket] < 0:
        return None
    return tuple(rounded(probabilities[ticket]).tolist())
