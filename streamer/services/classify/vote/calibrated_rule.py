"""What tickets are decided by, before the judge."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.vote_result import Provenance


@dataclass(frozen=True, slots=True)
class CalibratedRule:
    """A `rule` over some workers, and the `temperatures` and `versions` of these, by name, that it
    was made for.
    """

    rule: DeferralRule
    provenance: Provenance
    temperatures: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def is_stale(self, worker: str, version: str | None) -> bool:
        """Whether the worker answered in another version."""
        return version is not None and self.versions.get(worker, version) != version
