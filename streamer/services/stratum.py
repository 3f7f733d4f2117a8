"""Which tickets are looked at more closely, drawn before any vote."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamer.services.draws import drawn
from streamer.services.plan import Draws


@dataclass(frozen=True, slots=True)
class Stratum:
    """The shares of tickets that are audited, logged, and shown to a person for the truth.

    What a person is asked about is audited too: an answer is of use only beside all the others.
    """

    salt: str
    audit: float = 0.0
    log: float = 0.0
    gold: float = 0.0

    def draws(self, ids: Sequence[str], verify: float) -> Draws:
        """What falls to these tickets [N], with the share `verify` to be verified."""
        gold = drawn(ids, self.salt, "gold", self.gold)
        uniform = gold | drawn(ids, self.salt, "audit", self.audit)
        return Draws(
            uniform=uniform,
            verify=drawn(ids, self.salt, "verify", verify),
            logged=uniform | drawn(ids, self.salt, "log", self.log),
            gold=gold,
        )
