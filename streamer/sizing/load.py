"""What has to be done for a rate of tickets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` tickets a second, each classified for `tasks` tasks; of their labels the share
    `coverage` stands without the judge. `audit` is the share of tickets that are audited.
    """

    rate: float
    coverage: float
    tasks: float = 1.0
    audit: float = 0.01

    @property
    def deferred(self) -> float:
        """Judge requests a second that a label waits for: rate x tasks x (1 - coverage)."""
        return self.rate * self.tasks * (1 - self.coverage)

    @property
    def audits(self) -> float:
        """Judge requests a second that can wait: audited, though a label stands already."""
        return self.rate * self.tasks * self.coverage * self.audit
