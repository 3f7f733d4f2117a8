"""The stream as it runs: a live table on a terminal, now and then a line elsewhere."""

import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table

from streamer.dev.demo.accounts import Accounts

_WINDOW_S = 5.0
_REDRAW_S = 0.5
_LINE_EVERY_S = 5.0


class DemoView:
    """Shows the accounts while they fill; `tick` as often as you like."""

    def __init__(self, console: Console, accounts: Accounts, expected: int) -> None:
        self._console = console
        self._accounts = accounts
        self._expected = expected
        self._counts: deque[tuple[float, int]] = deque()
        self._drawn = 0.0
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> "DemoView":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._draw(time.monotonic())
        if self._live:
            self._live.stop()

    def tick(self) -> None:
        """Draw again, if it is time."""
        now = time.monotonic()
        if now - self._drawn >= (_REDRAW_S if self._live else _LINE_EVERY_S):
            self._draw(now)

    def _draw(self, now: float) -> None:
        self._drawn = now
        row = self._row(now)
        if self._live is None:
            self._console.print("  ".join(f"{name} {value}" for name, value in row))
            return
        table = Table(*(name for name, _ in row), box=None, pad_edge=False)
        table.add_row(*(value for _, value in row))
        self._live.update(table, refresh=True)

    def _row(self, now: float) -> list[tuple[str, str]]:
        took: dict[str, list[int]] = {}
        dead = 0
        for _, outcome, latency_ms in self._accounts.outcomes():
            if outcome.task:
                took.setdefault(outcome.kind, []).append(latency_ms)
            else:
                dead += 1
        agreed, judged = took.get("workers", []), took.get("judge", [])
        labels = max(1, sum(map(len, took.values())))
        return [
            ("played", f"{self._accounts.records}/{self._expected}"),
            ("tickets/s", f"{self._speed(now):.0f}"),
            ("agreed", f"{len(agreed) / labels:.1%}"),
            ("judged", f"{len(judged) / labels:.1%}"),
            ("dead letters", str(dead)),
            ("agreed p50/p99", milliseconds(agreed)),
            ("judged p50/p99", milliseconds(judged)),
            ("open", str(self._accounts.open)),
        ]

    def _speed(self, now: float) -> float:
        self._counts.append((now, self._accounts.records))
        while now - self._counts[0][0] > _WINDOW_S + _LINE_EVERY_S:
            self._counts.popleft()
        (then, before), (_, count) = self._counts[0], self._counts[-1]
        return (count - before) / (now - then) if now > then else 0.0


def milliseconds(took: Sequence[int]) -> str:
    """Median and 99th percentile."""
    if not took:
        return "-"
    middle, high = np.percentile(took, (50, 99))
    return f"{middle:.0f}/{high:.0f} ms"
