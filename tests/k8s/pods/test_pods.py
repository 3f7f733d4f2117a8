"""The chart's own configuration, command lines and security, on its real images and processes."""

import csv
from collections import Counter
from itertools import product

from aiokafka import AIOKafkaProducer

from streamer.records.label import Label
from tests.accounting import whole
from tests.k8s.chart import ROOT
from tests.k8s.pods.desk import COMPONENTS, Desk
from tests.k8s.segments import ALPHA
from tests.stage import Wire, ticket, until

TICKETS = 60
TASKS = ("intent", "sentiment")
KILL_STUBS = """
import os, pathlib, signal
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    if b"triton_python_backend_stub" in (folder / "cmdline").read_bytes().split(b"\\0")[0]:
        os.kill(int(folder.name), signal.SIGKILL)
"""


def tickets() -> list[Wire]:
    with (ROOT / "sample" / "helpdesk.test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[:TICKETS]
    found = [ticket(number, row["text"], subject=row["subject"]) for number, row in enumerate(rows)]
    return [*found, ticket(TICKETS, "alpha please help", subject="")]


async def send(desk: Desk) -> None:
    async with AIOKafkaProducer(bootstrap_servers=desk.kafka.bootstrap) as producer:
        for key, value in tickets():
            await producer.send_and_wait("tickets", value, key=key)


async def test_every_ticket_gets_its_labels_from_the_charts_own_pods(desk: Desk) -> None:
    await desk.ready(*COMPONENTS)
    await send(desk)
    found: list[Label] = []

    async def all_there() -> bool:
        nonlocal found
        records = [record async for record in whole(desk.kafka.bootstrap, "tickets.labels")]
        found = [Label.from_json(record.value) for record in records]
        return len(found) >= (TICKETS + 1) * len(TASKS)

    await until(all_there, 120)
    wanted = Counter(product((f"t{number}" for number in range(TICKETS + 1)), TASKS))
    assert Counter((label.ticket_id, label.task) for label in found) == wanted
    sources = Counter(label.source for label in found)
    print(sources)
    assert sources["workers"] > 0
    assert sources["judge"] > 0
    routed = [label.segment for label in found if label.task == "intent"]
    assert None not in routed
    assert {segment.number for segment in routed} == {None, ALPHA}
    keys = {label.key for label in found}

    async def all_stand() -> bool:
        return {one.key async for one in whole(desk.kafka.bootstrap, "tickets.current")} == keys

    await until(all_stand, 60)
    for name, pod in desk.pods.items():
        assert pod.passes("livenessProbe"), (name, pod.log)


def test_the_segments_are_what_the_image_has_and_cannot_be_written(desk: Desk) -> None:
    for name in ("classify", "monitor"):
        pod = desk.pods[name]
        files = pod.run("ls", "/segments/1").stdout.split()
        assert files == ["model.npz", "report.json", "routing.json", "segments.json"]
        assert "Read-only file system" in pod.run("touch", "/segments/1/a").stderr
    said = desk.pods["classify"].run("streamer", "check", "--config", "/etc/streamer/streamer.yaml")
    assert "by the segments of /segments/1" in said.stdout, said.stderr


async def test_the_canary_finds_a_dead_stub_that_triton_calls_ready(desk: Desk) -> None:
    """Runs last: it breaks the workers."""
    workers = desk.pods["workers"]
    assert workers.passes("livenessProbe"), workers.log
    killed = workers.run("python3", "-c", KILL_STUBS)
    assert killed.returncode == 0, killed.stderr

    async def found() -> bool:
        return not workers.passes("livenessProbe")

    await until(found, 60)
    assert workers.passes("readinessProbe")
