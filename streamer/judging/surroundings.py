"""What a process offers the judge that it runs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # A worker that asks by a judge's code has no metrics of its own.
    from prometheus_client.metrics_core import Metric

Outcome = Literal["answered", "busy", "failed", "refused"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A judge need not use any of it.

    `part` is the share of all work that this process has. `tell` takes a line that people should
    know. `asked` hears what became of each request to a server, `charged` the tokens that it cost,
    and `capped` how many tokens are left of a cap, what share of it is spent, and whether it acts.
    `watch` takes what gives the engine's own metrics whenever it is asked.
    """

    part: Callable[[], float] = lambda: 1.0
    tell: Callable[[str], None] = lambda line: None
    asked: Callable[[Outcome], None] = lambda outcome: None
    charged: Callable[[int], None] = lambda tokens: None
    capped: Callable[[float, float, bool], None] = lambda left, spent, suspended: None
    watch: Callable[[Callable[[], "Iterable[Metric]"]], None] = lambda collect: None
