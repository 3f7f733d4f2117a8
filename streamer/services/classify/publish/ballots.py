"""What the workers said of some tickets, ready to be written into records."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamer.decide.rounding import rounded
from streamer.decide.vote_result import Rows, WorkerVotes
from streamer.records.judge_request import Ballot
from streamer.records.label import Vote
from streamer.records.labelset import LabelSet


class Ballots:
    """The votes of N tickets of one task, by columns: a row per worker and a column per ticket.

    `kinds` says of each worker its name, version and why it would be absent; `label_ids` [W, N] and
    `shares` [W, N] what it said and how likely it is, NaN where it said nothing.
    """

    def __init__(self, worker_votes: Sequence[WorkerVotes], label_set: LabelSet) -> None:
        self._worker_votes = worker_votes
        self._label_set = label_set
        self._names = (*label_set.labels, None)
        self.kinds = tuple((votes.worker, votes.version, votes.absent) for votes in worker_votes)
        self.label_ids: NDArray[np.int64] = np.array(
            [votes.predictions.label_ids for votes in worker_votes]
        )
        self.shares = rounded(np.array([votes.predictions.confidence for votes in worker_votes]))

    def votes(self, label_ids: Sequence[int], shares: Sequence[float]) -> tuple[Vote, ...]:
        """Votes for these labels (-1 for none), one per worker, with their probabilities."""
        return tuple(
            Vote(
                worker,
                version,
                self._names[label_id],
                None if share != share else share,
                None if label_id >= 0 else absent or "unusable",
            )
            for (worker, version, absent), label_id, share in zip(
                self.kinds, label_ids, shares, strict=True
            )
        )

    def __getitem__(self, rows: Rows) -> "Ballots":
        """The votes on some of the tickets."""
        return Ballots([votes[rows] for votes in self._worker_votes], self._label_set)

    def votes_on(self, ticket: int) -> tuple[Vote, ...]:
        """The votes on one of the tickets; none where nobody was asked."""
        if not self._worker_votes:
            return ()
        return self.votes(self.label_ids[:, ticket].tolist(), self.shares[:, ticket].tolist())

    def ballot_on(self, ticket: int) -> Ballot:
        """The votes on one of the tickets, with their raw vectors."""
        vectors = tuple(_vector(votes, ticket) for votes in self._worker_votes)
        return Ballot(self.votes_on(ticket), vectors)


def _vector(votes: WorkerVotes, ticket: int) -> tuple[float, ...] | None:
    probabilities = votes.raw.probabilities
    if probabilities is None or votes.predictions.label_ids[ticket] < 0:
        return None
    return tuple(rounded(probabilities[ticket]).tolist())
