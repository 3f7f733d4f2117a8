"""What a benchmark found, as a table and as a file."""

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

FOLDER = Path("build/bench")


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `ratio` is value / reference; both None where there is nothing beside it."""

    name: str
    value: float
    unit: str
    reference: float | None = None
    ratio: float | None = None
    wanted: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path = FOLDER) -> None:
        """Write `folder`/NAME.json and print the same as a table."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        path.write_bytes(orjson.dumps(self, option=orjson.OPT_INDENT_2))
        table = Table("", "", title=self.name, show_header=False, title_justify="left")
        table.add_row("value", f"{self.value:,.4g} {self.unit}")
        if self.reference is not None:
            table.add_row("reference", f"{self.reference:,.4g} {self.unit}")
        if self.ratio is not None:
            table.add_row("ratio", f"{self.ratio:.3f}")
        table.add_row("wanted", self.wanted)
        for key, detail in self.details.items():
            table.add_row(key, _shown(detail))
        Console().print(table)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Least, median and greatest of some runs, and how many there were."""
    return {
        "min": min(values),
        "median": statistics.median(values),
        "max": max(values),
        "runs": len(values),
    }


def load() -> float:
    """What else the machine does: the mean number of runnable processes of the last minute."""
    return round(os.getloadavg()[0], 2)


def _shown(detail: Any) -> str:
    if isinstance(detail, float):
        return f"{detail:,.4g}"
    if isinstance(detail, Mapping):
        return "  ".join(f"{key} {_shown(value)}" for key, value in detail.items())
    if isinstance(detail, list | tuple):
        return "  ".join(_shown(value) for value in detail)
    return str(detail)
