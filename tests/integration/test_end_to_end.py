"""The whole way: real Kafka, Triton and vLLM, trained models, and one trace per ticket."""

import asyncio
import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
import pytest
import yaml
from aiokafka import AIOKafkaProducer

from bench.steered import misuse, read_attempts
from streamer.client import LabelStream
from streamer.dev.bring_up import bring_up
from streamer.dev.stack import Stack
from streamer.records.dead_letter import DeadLetter
from streamer.records.label import Label
from tests import otlp
from tests.accounting import account, whole
from tests.otlp import Collector, Span
from tests.stage import part_of, until
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample"
TRACE = "0af7651916cd43dd8448eb211c80319c"
UPSTREAM = "b7ad6b7169203331"
TICKETS = 300
UNSEEN = {f"MIS-{number}" for number in (137, 138, 139, 140, 142, 144)}
"""The sample's attempts without a character that anybody could see."""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with otlp.collecting() as found:
        yield found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Stack]:
    """The sample's intent task on a part of its data, all tickets traced."""
    folder = tmp_path_factory.mktemp("whole")
    settings = yaml.safe_load((ROOT / "streamer.yaml").read_text())
    del settings["tasks"]["sentiment"]
    task = settings["tasks"]["intent"]
    part_of(SAMPLE / "helpdesk.train.csv", folder / "train.csv", 900)
    task["data"] |= {"train": "train.csv", "test": str(SAMPLE / "helpdesk.test.csv")}
    settings["judge"] = {"python": str(ROOT / ".venv-judge/bin/python")}
    settings["tracing"] = {"sample": 1.0}
    config = folder / "streamer.yaml"
    config.write_text(yaml.safe_dump(settings))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "300")
        with Stack(config, {}, print) as whole:
            bring_up(whole, print, own_workers=True)
            yield whole


def _tickets() -> list[dict[str, str]]:
    with (SAMPLE / "helpdesk.test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[:TICKETS]
    return [{"id": row["id"], "subject": row["subject"], "text": row["text"]} for row in rows]


async def _send(stack: Stack, tickets: list[dict[str, str]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.settings.kafka.bootstrap)
    await producer.start()
    for number, ticket in enumerate(tickets):
        # Each in a trace of its own, which a system before us has begun.
        parent = f"00-{TRACE[:-4]}{number:04x}-{UPSTREAM}-01".encode()
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
    stack: Stack, collector: Collector
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
    names = {
        "process tickets",
        "send tickets.judge",
        "process tickets.judge",
        "judge intent",
        "send tickets.labels",
        "llm_request",
    }

    def all_there() -> bool:
        spans = collector.of(trace)
        known = {span.id for span in spans} | {UPSTREAM}
        return names <= {span.name for span in spans} and {s.parent for s in spans} <= known

    assert await asyncio.to_thread(eventually, all_there), collector.names(trace)
    spans = collector.of(trace)
    assert otlp.whole(spans, UPSTREAM).name == "process tickets"
    by_id = {span.id: span for span in spans}
    (last,) = [span for span in spans if span.name == "send tickets.labels"]
    assert _way(last, by_id) == [
        "send tickets.labels",
        "process tickets.judge",
        "send tickets.judge",
        "process tickets",
    ]
    (asked,) = [span for span in spans if span.name == "llm_request"]
    assert (asked.service, by_id[asked.parent].name) == ("vllm", "process tickets.judge")
    # Warming up belongs to no ticket, so vLLM writes a span for each judged ticket and no more.
    requests = Counter(span.trace for span in collector.spans if span.name == "llm_request")
    assert all(trace.startswith(TRACE[:-4]) for trace in requests)
    assert max(requests.values()) == 1

    def triton_below_our_calls() -> bool:
        # Triton tells of a call at once, we of ours with the next of our spans.
        asked = {span.parent for span in collector.spans if span.name == "InferRequest"}
        calls = {span.id for span in collector.spans if span.name.startswith("infer ")}
        return bool(asked) and asked <= calls

    assert await asyncio.to_thread(eventually, triton_below_our_calls)


def _way(last: Span, by_id: Mapping[str, Span]) -> list[str]:
    way = [last.name]
    while (parent := by_id.get(last.parent)) is not None:
        way.append(parent.name)
        last = parent
    return way


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
    assert set(refused) == UNSEEN
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
