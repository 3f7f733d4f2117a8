"""Windows that fill as time goes on, and what a watch says of them."""

from collections.abc import Mapping

from streamer.config.settings import Alarms
from streamer.monitoring.alarms.standing import Id, standing
from streamer.monitoring.alarms.watch import Watch
from streamer.monitoring.expected import Expected
from streamer.monitoring.reading import Reading
from streamer.monitoring.windows import LONG, Table, Windows
from streamer.records.alarm import AlarmKind
from streamer.records.summary import Service, Summary

BEGIN = LONG.start(1_700_000_000_000)
LIMITS = Alarms()
KNOWN = Expected(
    coverage=0.8,
    fidelity=0.95,
    agreement={"a/b": 0.9},
    labels={"bug": 0.5, "question": 0.3, "refund": 0.2},
    source="calibration 1",
)
Counts = Mapping[str, Mapping[str, int]]


class Scene:
    """Windows that fill as time goes on, and what a watch says of them."""

    def __init__(
        self,
        known: Expected | None = KNOWN,
        limits: Alarms = LIMITS,
        retention_s: float | None = None,
    ) -> None:
        self.recent: Table = {}
        self.long: Table = {}
        self.windows = Windows(self.recent, self.long)
        self.now_ms = BEGIN
        self.stood: dict[Id, int] = {}
        self._known = {} if known is None else {"intent": known}
        self._limits, self._retention_s = limits, retention_s
        self.watch = self.again()
        self._numbers: dict[tuple[str, str | None], int] = {}

    def again(self) -> Watch:
        """A watch that knows nothing but the windows."""
        return Watch(
            self.windows, self._known, self._limits, lambda ms: f"{ms} ms", self._retention_s
        )

    def tell(
        self,
        counts: Counts,
        *,
        task: str | None = "intent",
        process: str = "p",
        service: Service = "classify",
        gauges: Mapping[str, float] | None = None,
        lose: int = 0,
    ) -> None:
        place = (process, task)
        self._numbers[place] = self._numbers.get(place, 0) + 1 + lose
        summary = Summary(
            process, service, task, self._numbers[place], self.now_ms, 1.0, counts, gauges or {}, {}
        )
        self.windows.take([summary], self.now_ms)

    def later(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)

    def readings(self, watch: Watch | None = None) -> list[Reading]:
        watch = watch or self.watch
        drifted, _ = watch.drift(watch.cells(self.now_ms))
        return [*watch.quick(self.now_ms), *drifted]

    def raised(self, kind: AlarmKind) -> list[Reading]:
        """The alarms of a kind that stand now, each look going on from the last one."""
        found = standing(self.readings(), self.stood, self.now_ms)
        self.stood = {name: one.since_ms for name, one in found.items()}
        return [one.reading for one in found.values() if one.reading.kind == kind]
