"""The judge's two lanes, without a Kafka: what is refused at the start and swallowed at the end."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry, Gauge

from streamer.config.settings import Settings
from streamer.dev.ports import free_port
from streamer.errors import BrokerError, ConfigError
from streamer.judging.judge import EngineDead, Judge
from streamer.judging.surroundings import Surroundings
from streamer.observe.metrics import Metrics
from streamer.records.calibration import Model
from streamer.services.judge.audits import AuditLane
from streamer.services.judge.lanes import run_lanes
from streamer.services.runtime.concurrency import together
from streamer.stream.isolation.shared_exclusive_lock import SharedExclusiveLock
from tests.services.judging import LABELS, Run, Scripted, calibration, loads


class Cold(Scripted):
    """It does not come up: what is refused must be refused before that."""

    async def start(self) -> None:
        raise EngineDead("the engine did not come up; look into its log")


class Late:
    """A stream that Kafka fails: at the end where it `waits` for that, else at once."""

    def __init__(self, waits: bool) -> None:
        self._waits = waits

    async def run(self, handler: Any, metrics: Any, status: Any, stop: asyncio.Event) -> None:
        if self._waits:
            await stop.wait()
        raise BrokerError("Kafka did not take a commit")


def always() -> bool:
    return True


def settings(path: Path, port: int = 0) -> Settings:
    task = {"labels": list(LABELS.labels), "workers": ["one", "two"], "calibration": str(path)}
    return Settings.model_validate(
        {
            "kafka": {"bootstrap": "nowhere:1", "start": "earliest"},
            "tasks": {"mood": task},
            "judge": {"listen": {"port": port}},
        }
    )


def calibrated(path: Path, version: str | None) -> Path:
    models = {"one": Model("1", 1.0), "two": Model("1", 1.0)}
    path.write_bytes(replace(calibration(2.0, version), models=models).to_json())
    return path


async def started(path: Path) -> None:
    await run_lanes(loads(Cold()), settings(path), asyncio.Event())


async def test_a_calibration_of_another_judge_is_refused_before_the_judge_is_warm(
    tmp_path: Path,
) -> None:
    path = calibrated(tmp_path / "mood.json", "6")
    with pytest.raises(ConfigError, match="streamer calibrate") as refused:
        await started(path)
    assert "tasks.mood.calibration is of version 6" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("version", ["7", None])
async def test_a_calibration_of_this_judge_or_of_an_unknown_one_is_taken(
    tmp_path: Path, version: str | None
) -> None:
    path = calibrated(tmp_path / "mood.json", version)
    with pytest.raises(EngineDead):
        await started(path)


async def test_a_late_commit_of_the_audits_does_not_cut_the_main_lane_short() -> None:
    stop, drained = asyncio.Event(), asyncio.Event()

    async def main() -> None:
        await stop.wait()
        await asyncio.sleep(0.05)
        drained.set()

    stop.set()
    lane = AuditLane(Late(waits=True), 60.0)
    await together(main(), lane.run(Run().handler, SharedExclusiveLock(), always, Metrics(), stop))
    assert drained.is_set()


async def test_what_kafka_refuses_the_audits_before_the_end_ends_the_service() -> None:
    lane = AuditLane(Late(waits=False), 60.0)
    with pytest.raises(BrokerError):
        await lane.run(Run().handler, SharedExclusiveLock(), always, Metrics(), asyncio.Event())


async def test_what_the_judges_engine_tells_of_itself_is_on_the_services_page(
    tmp_path: Path,
) -> None:
    port, registry = free_port(), CollectorRegistry()
    labelled = {"labelnames": ["model_name", "engine"], "registry": registry}
    Gauge("vllm:num_requests_running", "Theirs.", **labelled).labels("mine", "0").set(3)
    pages: list[str] = []

    class Asked(Cold):
        async def start(self) -> None:
            async with ClientSession() as client:
                answer = await client.get(f"http://127.0.0.1:{port}/metrics")
                pages.append(await answer.text())
            await super().start()

    async def load(_: Settings, surroundings: Surroundings) -> Judge:
        surroundings.watch(registry.collect)
        return Asked()

    given = settings(calibrated(tmp_path / "c.json", None), port)
    with pytest.raises(EngineDead, match="did not come up"):
        await run_lanes(load, given, asyncio.Event())
    assert 'vllm:num_requests_running{engine="0",model_name="mine"} 3.0' in pages[0]
