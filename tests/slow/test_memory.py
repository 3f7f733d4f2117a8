"""Classify under a memory limit, with tickets that take many times their bytes while in flight."""

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
import yaml

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from tests.conftest import ECHO_LABELS, ECHO_MODELS
from tests.memory_need import classify_bytes
from tests.stage import ROOT, Service, Stage, Wire

MIB = 2**20
VALUES = ROOT / "k8s" / "streamer" / "values.yaml"
CGROUPS = Path("/sys/fs/cgroup")


def large(number: int) -> Wire:
    """A ticket of a megabyte on which the workers differ; one emoji makes each character four."""
    text = "#echo_a=0 #echo_b=1 #echo_c=2 \N{GRINNING FACE}".ljust(1_000_000, "x")
    return f"t{number}".encode(), orjson.dumps({"id": f"t{number}", "text": text})


@contextmanager
def capped(folder: Path, limit: int) -> Iterator[Path]:
    """A Python that runs in a cgroup of its own with `limit` bytes of memory.

    Making one takes root. Without it the peak alone is held against the limit.
    """
    v1 = (CGROUPS / "memory").is_dir()
    group = (CGROUPS / "memory" if v1 else CGROUPS) / f"streamer-test-{folder.name}"
    script = folder / "capped-python"
    enter = f"echo $$ > {group}/cgroup.procs\n"
    try:
        group.mkdir()
        name = "memory.limit_in_bytes" if v1 else "memory.max"
        (group / name).write_text(str(limit))
    except OSError:
        enter = ""
    script.write_text(f'#!/bin/sh\n{enter}exec .venv/bin/python "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    try:
        yield script
    finally:
        if enter:
            group.rmdir()


def peak(pid: int) -> int:
    """The most memory that the process has had so far, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


async def bears(stage: Stage, folder: Path, limit: int, tickets: int, tasks: int) -> None:
    """Classify defers them all for each task, in a process that stays within the limit."""
    with capped(folder, limit) as python:
        log = folder / "classify.log"
        service = Service("classify", ("--config", str(stage.config)), log, python)
        try:
            await service.started()
            account = await stage.accounted(tickets * tasks, within_s=400)
            names = list(stage.configuration["tasks"])
            assert account.totals(names) == {"deferred": tickets * tasks}
            assert service.child.pid is not None
            most = peak(service.child.pid)
            print(f"{most / MIB:.0f} MiB of {limit / MIB:.0f}")
            assert most < limit
            assert service.metric("streamer_held_bytes") == 0
            assert await service.stopped() == 0
        finally:
            service.child.stop(grace_s=0)


@pytest.mark.slow
@pytest.mark.parametrize("compression", [None, "lz4"])
async def test_a_quarter_of_the_charts_memory_bears_a_quarter_of_the_large_tickets(
    tmp_path: Path, kafka: Kafka, triton_echo: Triton, compression: str | None
) -> None:
    limit, most = 256 * MIB, 48 * MIB
    assert classify_bytes(most) <= limit
    flow = {"classify": {"flow": {"max_bytes": most}}}
    with Stage(tmp_path, kafka, triton_echo.url, flow) as stage:
        await stage.make_topics()
        await stage.feed(map(large, range(100)), compression_type=compression)
        await bears(stage, tmp_path, limit, 100, 1)


@pytest.mark.slow
async def test_the_charts_memory_bears_400_large_tickets_of_two_tasks(
    tmp_path: Path, kafka: Kafka, triton_echo: Triton
) -> None:
    limits = yaml.safe_load(VALUES.read_text())["classify"]["resources"]["limits"]
    assert limits == {"memory": "1Gi"}
    task = {"labels": list(ECHO_LABELS), "workers": list(ECHO_MODELS)}
    with Stage(tmp_path, kafka, triton_echo.url, {"tasks": {"sentiment": task}}) as stage:
        await stage.make_topics()
        await stage.feed(map(large, range(400)))
        await bears(stage, tmp_path, 1024 * MIB, 400, 2)
