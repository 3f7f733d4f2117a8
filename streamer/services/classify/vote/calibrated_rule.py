"""What tickets are decided by, before the judge."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.vote_result import Provenance, WorkerVotes


@dataclass(frozen=True, slots=True)
class CalibratedRule:
    """A `rule` over some workers, and the `temperatures` and `versions` of these, by name, that it
    was made for.
    """

    rule: DeferralRule
    provenance: Provenance
    temperatures: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def is_stale(self, worker_votes: Iterable[WorkerVotes]) -> bool:
        """Whether any of the workers answered in another version."""
        return any(
            votes.version is not None
            and self.versions.get(votes.worker, votes.version) != votes.version
            for votes in worker_votes
        )
