"""The chart's own configuration, command lines and security, on its real images and processes."""

import csv
import random
from collections import Counter
from collections.abc import Iterable
from itertools import product

from aiokafka import AIOKafkaProducer

from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from tests.accounting import lag, whole
from tests.k8s.chart import ROOT
from tests.k8s.pods.desk import COMPONENTS, Desk
from tests.k8s.pods.memory import Memory
from tests.k8s.segments import ALPHA
from tests.slow.test_memory import peak
from tests.stage import Wire, ticket, until

TICKETS = 60
TASKS = ("intent", "sentiment")
MIB = 2**20
# The sample's workers differ on 78 of 100 such texts.
LARGE, DISPUTED = 540, 400
KILL_STUBS = """
import os, pathlib, signal
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    if b"triton_python_backend_stub" in (folder / "cmdline").read_bytes().split(b"\\0")[0]:
        os.kill(int(folder.name), signal.SIGKILL)
"""


def sample() -> list[dict[str, str]]:
    with (ROOT / "sample" / "helpdesk.test.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def tickets() -> list[Wire]:
    rows = enumerate(sample()[:TICKETS])
    found = [ticket(number, row["text"], subject=row["subject"]) for number, row in rows]
    return [*found, ticket(TICKETS, "alpha please help", subject="")]


def large(number: int, words: list[str]) -> Wire:
    """A megabyte of a few words that say nothing; one emoji makes each character four bytes."""
    drawn = " ".join(random.Random(number).choices(words, k=30))
    text = "\N{GRINNING FACE} " + f"{drawn} " * (1_000_000 // len(drawn))
    return ticket(f"large{number}", text[:1_000_000], subject="")


async def send(desk: Desk, records: Iterable[Wire]) -> None:
    brokers = desk.kafka.bootstrap
    async with AIOKafkaProducer(bootstrap_servers=brokers, max_request_size=2 * MIB) as producer:
        for key, value in records:
            await producer.send_and_wait("tickets", value, key=key)


async def test_every_ticket_gets_its_labels_from_the_charts_own_pods(desk: Desk) -> None:
    await desk.ready(*COMPONENTS)
    await send(desk, tickets())
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


async def test_classify_takes_400_disputed_tickets_of_a_megabyte_and_is_never_killed(
    desk: Desk,
) -> None:
    classify, brokers = desk.pods["classify"], desk.kafka.bootstrap
    # All of them wait when it starts; to judge them isn't what is asked here.
    for name in ("classify", "judge"):
        desk.pods[name].stop()
    words = [word for row in sample() for word in row["text"].split() if word.isascii()]
    await send(desk, (large(number, words) for number in range(LARGE)))
    await desk.ready("classify")
    memory = Memory(classify.pid)
    assert memory.limit == 1024 * MIB
    missed = 0  # in a row, as kubelet counts

    async def all_read() -> bool:
        nonlocal missed
        missed = 0 if classify.passes("readinessProbe") else missed + 1
        assert missed < classify.container["readinessProbe"]["failureThreshold"], classify.log
        return await lag(brokers, "streamer-classify", "tickets") == 0

    await until(all_read, 240)
    print(f"{peak(classify.pid) / MIB:.0f} MiB of {memory.limit / MIB:.0f}")
    assert memory.kills == 0
    requests = [JudgeRequest.from_json(r.value) async for r in whole(brokers, "tickets.judge")]
    labels = [Label.from_json(r.value) async for r in whole(brokers, "tickets.labels")]
    deferred = {(request.ticket.id, request.task) for request in requests}
    labelled = {(label.ticket_id, label.task) for label in labels}
    names = {f"tlarge{number}" for number in range(LARGE)}
    assert deferred | labelled >= set(product(names, TASKS))
    assert len({name for name, _ in deferred if name in names}) >= DISPUTED


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
