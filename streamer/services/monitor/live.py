"""What the monitor knows now."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from streamer.monitoring import tallies
from streamer.monitoring.alarms.standing import Id, Standing
from streamer.monitoring.expected import Expected
from streamer.monitoring.view import MonitorState, Series
from streamer.monitoring.views import process_views, task_view
from streamer.monitoring.windows import LONG, RECENT, Windows, merged
from streamer.records.alarm import Alarm
from streamer.services.monitor.alerts import as_alarm

NOTE = (
    "Sums count work that is done at least once: a ticket that comes again, after a crash or a "
    "rebalance, counts again. Summaries themselves are counted once each."
)
MOST_POINTS = 120
LAST_MS = 60_000


class LiveView:
    """The windows as the pages show them. `tasks` are the configured ones; under `runbooks` lies a
    page for each kind of alarm; `late` says why the sums are not those of now, where they are not.
    """

    def __init__(
        self,
        windows: Windows,
        tasks: Sequence[str],
        runbooks: str,
        late: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._windows = windows
        self._tasks = tasks
        self._runbooks = runbooks
        self._late = late
        self._expected: Mapping[str, Expected] = {}
        self._standing: Mapping[Id, Standing] = {}

    def expect(self, expected: Mapping[str, Expected]) -> None:
        """From here on this is what the tasks should be like."""
        self._expected = expected

    def stand(self, standing: Mapping[Id, Standing]) -> None:
        """From here on these alarms stand."""
        self._standing = standing

    def state(self, span_s: float = 60.0) -> MonitorState:
        """Now, with each task over the windows of the last `span_s` seconds."""
        now_ms = _now_ms()
        resolution = RECENT if span_s * 1000 <= RECENT.keep_ms else LONG
        start = resolution.start(now_ms - int(span_s * 1000))
        seconds = max(now_ms - start, 1) / 1000
        tasks = {
            task: merged(w for _, w in self._windows.among(resolution, task, start, now_ms))
            for task in self._known()
        }
        processes = merged(w for _, w in self._windows.among(resolution, None, start, now_ms))
        return MonitorState(
            at_ms=now_ms,
            span_s=seconds,
            tasks={
                task: task_view(window, seconds, self._expected.get(task, Expected()))
                for task, window in tasks.items()
            },
            processes=process_views(self._windows.hour(now_ms), now_ms),
            records_per_s=tallies.tickets_read(processes) / seconds,
            dead=processes.counts.get("dead", {}),
            alarms=self.alarms(),
            note=" ".join(filter(None, (self._late(), *self._unwatched(now_ms), NOTE))),
        )

    def series(self, task: str, seconds: float) -> Series:
        """One task over the last `seconds`, in `MOST_POINTS` steps at most.

        Raises `KeyError` for a task that is not configured and was never heard of.
        """
        if task not in self._known():
            raise KeyError(task)
        now_ms = _now_ms()
        resolution = RECENT if seconds * 1000 <= RECENT.keep_ms else LONG
        windows = max(int(seconds * 1000) // resolution.step_ms, 1)
        step_ms = -(-windows // MOST_POINTS) * resolution.step_ms
        last = now_ms // step_ms * step_ms
        first = max(last - int(seconds * 1000), 0) // step_ms * step_ms
        starts = range(first, last + 1, step_ms)
        expected = self._expected.get(task, Expected())
        views = []
        for start in starts:
            end = min(start + step_ms, now_ms + 1)
            window = merged(w for _, w in self._windows.among(resolution, task, start, end))
            views.append(task_view(window, (end - start) / 1000, expected))
        return Series(task, step_ms / 1000, list(starts), views)

    def alarms(self) -> Sequence[Alarm]:
        """Those that stand, the worst and oldest first."""
        now_ms = _now_ms()
        standing = self._standing.values()
        alarms = [as_alarm(stands, "raised", now_ms, self._runbooks) for stands in standing]
        return sorted(alarms, key=lambda alarm: (alarm.severity, alarm.since))

    def _unwatched(self, now_ms: int) -> Iterator[str]:
        """Why the shares of a task are tested against nothing: it is served in another way."""
        for task in self._known():
            last = self._windows.among(RECENT, task, now_ms - LAST_MS, now_ms + 1)
            routed = tallies.routings(merged(w for _, w in last))
            expected = self._expected.get(task, Expected()).routing
            if routed and expected not in routed:
                yield (
                    f"Tickets of {task} are routed by version {', '.join(sorted(routed))}, and this"
                    f" monitor expects {expected or 'none'}: give classify and the monitor the same"
                    f" tasks.{task}.segments."
                )

    def _known(self) -> list[str]:
        return sorted({*self._tasks, *self._windows.tasks()})


def _now_ms() -> int:
    return int(time.time() * 1000)
