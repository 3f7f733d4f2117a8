"""What describes one metric."""

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]


class MetricFamily(NamedTuple):
    """One metric: its name, kind, labels, and what it says."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str
