"""What one pod of each kind can do, and what it costs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capacity:
    """Tickets a second that one `classify` pod and one `workers` pod take, and prompt tokens a
    second that one judge reads. A judged ticket has `ticket_tokens` that no cache holds. Prices are
    per hour. `busy` is the share of its capacity that a pod is planned to use.
    """

    classify: float
    workers: float
    judge_tokens: float
    ticket_tokens: float
    cpu_price: float
    gpu_price: float
    busy: float = 0.6

    @property
    def judged(self) -> float:
        """Tickets that one judge judges a second: judge_tokens / ticket_tokens."""
        return self.judge_tokens / self.ticket_tokens
