"""Classify under a memory limit, with tickets that take many times their bytes while in flight."""

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from tests.memory_need import classify_bytes
from tests.stage import Service, Stage, Wire

# A quarter of what the chart's pod is given, and of the 400 tickets that it must bear: see
# tests/k8s/pods/test_pods.py. `max_bytes` is the most that the formula leaves room for.
LIMIT = 256 * 2**20
MAX_BYTES = 48 * 2**20
TICKETS = 100
CGROUPS = Path("/sys/fs/cgroup")


def large(number: int) -> Wire:
    """A ticket of a megabyte on which the workers differ; one emoji makes each character four."""
    text = "#echo_a=0 #echo_b=1 #echo_c=2 \N{GRINNING FACE}".ljust(1_000_000, "x")
    return f"t{number}".encode(), orjson.dumps({"id": f"t{number}", "text": text})


@contextmanager
def capped(folder: Path) -> Iterator[Path]:
    """A Python that runs in a cgroup of its own with `LIMIT` bytes of memory and no swap.

    Making one takes root. Without it the peak alone is held against the limit.
    """
    v1 = (CGROUPS / "memory").is_dir()
    group = (CGROUPS / "memory" if v1 else CGROUPS) / f"streamer-test-{folder.name}"
    script = folder / "capped-python"
    enter = f"echo $$ > {group}/cgroup.procs\n"
    try:
        group.mkdir()
        limit = "memory.limit_in_bytes" if v1 else "memory.max"
        (group / limit).write_text(str(LIMIT))
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


@pytest.mark.slow
@pytest.mark.parametrize("compression", [None, "lz4"])
async def test_a_quarter_of_the_charts_memory_bears_a_quarter_of_the_large_tickets(
    tmp_path: Path, kafka: Kafka, triton_echo: Triton, compression: str | None
) -> None:
    assert classify_bytes(MAX_BYTES) <= LIMIT
    flow = {"classify": {"flow": {"max_bytes": MAX_BYTES}}}
    with Stage(tmp_path, kafka, triton_echo.url, flow) as stage, capped(tmp_path) as python:
        await stage.make_topics()
        await stage.feed(map(large, range(TICKETS)), compression_type=compression)
        log = tmp_path / "classify.log"
        service = Service("classify", ("--config", str(stage.config)), log, python)
        try:
            await service.started()
            account = await stage.accounted(TICKETS)
            assert account.totals(["intent"]) == {"deferred": TICKETS}
            assert service.child.pid is not None
            most = peak(service.child.pid)
            print(f"{most / 2**20:.0f} MiB of {LIMIT / 2**20:.0f}")
            assert most < LIMIT
            assert service.metric("streamer_held_bytes") == 0
            assert await service.stopped() == 0
        finally:
            service.child.stop(grace_s=0)
