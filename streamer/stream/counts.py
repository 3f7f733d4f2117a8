"""What an engine did since it started, for metrics."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """Counts since the start; `settled` by the reason."""

    records: int = 0
    batches: int = 0
    emissions: int = 0
    commits: int = 0
    commits_lost: int = 0
    rebalances: int = 0
    redelivered: int = 0
    settled: dict[str, int] = field(default_factory=dict)
