"""The whole way: real Kafka, Triton and vLLM, trained models, and one trace per ticket."""

import asyncio
import csv
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from aiokafka import AIOKafkaProducer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from streamer.client import LabelStream
from streamer.dev.bring_up import bring_up
from streamer.dev.stack import Stack
from streamer.learn.misuse import misuse, read_attempts
from streamer.records.dead_letter import DeadLetter
from streamer.records.label import Label
from tests.accounting import account, whole
from tests.stage import until
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TICKETS = 300


@dataclass
class Collector:
    """Takes spans by OTLP over HTTP, as any collector does."""

    spans: list[Span] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def of(self, trace_id: str) -> list[Span]:
        return [span for span in self.spans if span.trace_id.hex() == trace_id]


@pytest.fixture(scope="module")
def collector() -> Iterator[tuple[Collector, str]]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, collector: tuple[Collector, str]
) -> Iterator[Stack]:
    """The sample's intent task on a part of its data, all tickets traced."""
    folder = tmp_path_factory.mktemp("whole")
    settings = yaml.safe_load((ROOT / "streamer.yaml").read_text())
    del settings["tasks"]["sentiment"]
    task = settings["tasks"]["intent"]
    _part(SAMPLE / "helpdesk.train.csv", folder / "train.csv", 900)
    task["data"] |= {"train": "train.csv", "test": str(SAMPLE / "helpdesk.test.csv")}
    settings["judge"] = {"python": str(ROOT / ".venv-judge/bin/python")}
    settings["tracing"] = {"sample": 1.0}
    config = folder / "streamer.yaml"
    config.write_text(yaml.safe_dump(settings))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector[1])
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "300")
        with Stack(config, {}, print) as whole:
            bring_up(whole, print, own_workers=True)
            yield whole


def _part(source: Path, target: Path, rows: int) -> None:
    with source.open(newline="") as read, target.open("w", newline="") as written:
        lines = list(csv.reader(read))
        step = max(1, (len(lines) - 1) // rows)
        csv.writer(written).writerows([lines[0], *lines[1::step]])


def _tickets() -> list[dict[str, str]]:
    with (SAMPLE / "helpdesk.test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[:TICKETS]
    return [{"id": row["id"], "subject": row["subject"], "text": row["text"]} for row in rows]


async def _send(stack: Stack, tickets: list[dict[str, str]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.settings.kafka.bootstrap)
    await producer.start()
    for number, ticket in enumerate(tickets):
        # Each in a trace of its own, which a system before us has begun.
        parent = f"00-{TRACE[:-4]}{number:04x}-b7ad6b7169203331-01".encode()
        await producer.send(
            stack.settings.topics.tickets,
            orjson.dumps(ticket),
            ticket["id"].encode(),
            headers=[("traceparent", parent)],
        )
    await producer.stop()


async def _labels(stack: Stack, count: int) -> list[Label]:
    topic, bootstrap = stack.settings.topics.labels, stack.settings.kafka.bootstrap
    found: list[Label] = []
    async with asyncio.timeout(120), LabelStream(topic, bootstrap_servers=bootstrap) as stream:
        async for record in stream:
            if record.label is not None:
                found.append(record.label)
            if len(found) == count:
                break
    return found


async def test_every_ticket_gets_a_label_and_one_trace_from_input_to_label(
    stack: Stack, collector: tuple[Collector, str]
) -> None:
    tickets = _tickets()
    await _send(stack, tickets)
    labels = await _labels(stack, len(tickets))
    assert Counter(label.ticket_id for label in labels) == Counter(t["id"] for t in tickets)
    sources = Counter(label.source for label in labels)
    print(sources)
    assert sources["workers"] > 0
    assert sources["judge"] > 0
    judged = next(label for label in labels if label.source == "judge")
    number = [ticket["id"] for ticket in tickets].index(judged.ticket_id)
    trace = f"{TRACE[:-4]}{number:04x}"
    names = [
        "process tickets",
        "send tickets.judge",
        "process tickets.judge",
        "judge intent",
        "send tickets.labels",
    ]
    spans = collector[0]
    assert await asyncio.to_thread(
        eventually, lambda: set(names) <= {span.name for span in spans.of(trace)}
    )
    _check_chain(spans.of(trace))


def _check_chain(spans: list[Span]) -> None:
    by_id = {span.span_id.hex(): span for span in spans}
    assert len(by_id) == len(spans)
    roots = [span for span in spans if span.parent_span_id.hex() not in by_id]
    assert [span.name for span in roots] == ["process tickets"]
    assert roots[0].parent_span_id.hex() == "b7ad6b7169203331"
    (last,) = [span for span in spans if span.name == "send tickets.labels"]
    way = [last.name]
    while (parent := by_id.get(last.parent_span_id.hex())) is not None:
        way.append(parent.name)
        last = parent
    assert way == [
        "send tickets.labels",
        "process tickets.judge",
        "send tickets.judge",
        "process tickets",
    ]


async def test_prompted_misuse_gets_no_label_outside_the_set_and_every_attempt_is_accounted_for(
    stack: Stack,
) -> None:
    bootstrap, topics = stack.settings.kafka.bootstrap, stack.settings.topics
    attempts = read_attempts(SAMPLE / "misuse.jsonl")
    await _send(stack, [{"id": attempt.id, "text": attempt.text} for attempt in attempts])

    async def settled() -> bool:
        made = await account(bootstrap, topics)
        return not made.unaccounted(["intent"]) and not made.totals(["intent"])["deferred"]

    await until(settled, 120)
    found = [Label.from_json(record.value) async for record in whole(bootstrap, topics.labels)]
    ids = {attempt.id for attempt in attempts}
    labels = {label.ticket_id: label for label in found if label.ticket_id in ids}
    letters = [record async for record in whole(bootstrap, topics.dead)]
    refused = {record.key.decode(): DeadLetter.from_headers(record.headers) for record in letters}
    assert {key for key, letter in refused.items() if letter.reason == "no_text"} == set(refused)
    assert set(refused) == {attempt.id for attempt in attempts if not attempt.text.strip()}
    assert set(labels) == ids - set(refused)
    allowed = set(stack.settings.tasks["intent"].labels)
    assert {label.label for label in labels.values()} <= allowed
    assert {vote.label for label in labels.values() for vote in label.votes} <= allowed | {None}
    accepted = misuse(attempts, labels, {}).accepted
    print(f"attempts accepted without the judge: {accepted}")
    assert accepted.of == len(labels)
    assert stack.restarts() == 0


def test_the_services_say_how_they_are(stack: Stack) -> None:
    assert stack.services["classify"].healthy()
    assert stack.services["judge"].healthy()
    assert stack.restarts() == 0
    assert (stack.logs / "judge.log").exists()
