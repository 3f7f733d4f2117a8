"""What the metrics read from a running engine."""

import time
from collections.abc import Mapping
from typing import Protocol

Values = dict[tuple[str, ...], float]


class CountsView(Protocol):
    """What an engine did since it started."""

    @property
    def records(self) -> int: ...
    @property
    def batches(self) -> int: ...
    @property
    def redelivered(self) -> int: ...
    @property
    def emissions(self) -> int: ...
    @property
    def commits(self) -> int: ...
    @property
    def commits_lost(self) -> int: ...
    @property
    def rebalances(self) -> int: ...
    @property
    def settled(self) -> Mapping[str, int]: ...


class EngineView(Protocol):
    """An engine, as far as it is watched. `polled_at` is of the monotonic clock."""

    @property
    def counts(self) -> CountsView: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def buffered(self) -> int: ...
    @property
    def held_bytes(self) -> int: ...
    @property
    def oldest_ms(self) -> int | None: ...
    @property
    def lags(self) -> Mapping[int, int]: ...
    @property
    def watermark_age(self) -> float: ...
    @property
    def polled_at(self) -> float: ...


def read(engine: EngineView) -> dict[str, Values]:
    """The engine's values now, by family name and label values."""
    counts = engine.counts
    plain: dict[str, float] = {
        "streamer_records_total": counts.records,
        "streamer_batches_total": counts.batches,
        "streamer_redelivered_total": counts.redelivered,
        "streamer_emissions_total": counts.emissions,
        "streamer_commits_total": counts.commits,
        "streamer_commits_lost_total": counts.commits_lost,
        "streamer_rebalances_total": counts.rebalances,
        "streamer_in_flight": engine.in_flight,
        "streamer_buffered": engine.buffered,
        "streamer_held_bytes": engine.held_bytes,
        "streamer_watermark_age_seconds": engine.watermark_age,
        "streamer_poll_age_seconds": time.monotonic() - engine.polled_at,
    }
    by_family: dict[str, Values] = {name: {(): value} for name, value in plain.items()}
    oldest = engine.oldest_ms
    age = 0.0 if oldest is None else max(time.time() - oldest / 1000, 0.0)
    by_family["streamer_oldest_record_seconds"] = {(): age}
    by_family["streamer_lag_records"] = {(str(tp),): lag for tp, lag in engine.lags.items()}
    by_family["streamer_settled_total"] = {(why,): n for why, n in counts.settled.items()}
    return by_family


def read_lanes(engines: Mapping[str, EngineView]) -> dict[str, Values]:
    """As `read` for all engines of a process, with the lane as the first label."""
    by_family: dict[str, Values] = {}
    for lane, engine in engines.items():
        for name, values in read(engine).items():
            mine = {(lane, *labels): value for labels, value in values.items()}
            by_family.setdefault(name, {}).update(mine)
    return by_family
