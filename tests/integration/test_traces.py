"""One whole trace per ticket, by a real collector: Kafka, Triton with its own spans, the judge."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from aiokafka import AIOKafkaProducer

from streamer.config import load
from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from streamer.judging.judge import JudgeScores
from streamer.learn.artifacts.repository import write_model
from streamer.records.answer import Answer
from streamer.records.label import Label
from streamer.records.labelset import LabelSet
from streamer.services.judge.lanes import run_lanes
from tests import accounting, otlp
from tests.conftest import ECHO_LABELS, ECHO_MODELS, own_triton
from tests.otlp import Collector, Span
from tests.services.judging import Scripted, loads
from tests.stage import Stage, until

UPSTREAM = "b7ad6b7169203331"
SECRET = "the words of a customer"
TASKS = {
    "intent": {"labels": list(ECHO_LABELS), "workers": list(ECHO_MODELS)},
    "mood": {
        "labels": list(ECHO_LABELS),
        "workers": list(ECHO_MODELS),
        "mode": "optimistic",
        "when": {"field": "/kind", "in": ["mood"]},
    },
}


class EchoJudge(Scripted):
    """Answers what a text says behind `#judge=`."""

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        return (LabelSet(ECHO_LABELS),)

    async def score(
        self,
        task: str,
        label_set: str,
        texts: Sequence[str],
        trace_headers: Sequence[Mapping[str, str] | None] | None = None,
    ) -> JudgeScores:
        found = np.full((len(texts), len(ECHO_LABELS)), 0.01, np.float32)
        for row, text in zip(found, texts, strict=True):
            row[int(text.split("#judge=")[1][0])] = 0.97
        return JudgeScores(found, np.zeros(len(texts), bool))


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with otlp.collecting() as found, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        yield found


@pytest.fixture(scope="module")
def triton(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    folder = tmp_path_factory.mktemp("triton")
    for name in ECHO_MODELS:
        write_model(folder / "models", name, "echo", ECHO_LABELS)
    with own_triton(folder / "state", folder / "models") as server:
        yield server


class Scene:
    """Both services on topics of their own, and what became of a ticket."""

    def __init__(self, stage: Stage, collector: Collector) -> None:
        self.stage = stage
        self.collector = collector

    async def send(self, *sent: tuple[str, Mapping[str, Any] | bytes, Sequence[Any]]) -> None:
        """Key, value and headers of records that are handed over at once."""
        producer = AIOKafkaProducer(bootstrap_servers=self.stage.bootstrap, linger_ms=200)
        async with producer:
            waiting = []
            for key, value, headers in sent:
                body = value if isinstance(value, bytes) else orjson.dumps({"id": key, **value})
                waiting.append(
                    await producer.send(
                        self.stage.topics.tickets, body, key=key.encode(), headers=headers
                    )
                )
            await asyncio.gather(*waiting)

    async def outcome(self, topic: str, key: str, revision: int = 0) -> tuple[Label | None, str]:
        """The label or dead letter with this key, and the only context in its headers."""
        found: list[Any] = []

        async def there() -> bool:
            async for record in accounting.whole(self.stage.bootstrap, topic):
                if record.key == key.encode():
                    label = None if topic == self.stage.topics.dead else Label.from_json
                    made = label(record.value) if label else None
                    if made is None or made.revision == revision:
                        found.append((made, record.headers))
            return bool(found)

        await until(there, 60)
        made, headers = found[0]
        (context,) = [value.decode() for name, value in headers if name == "traceparent"]
        return made, context

    async def trace(self, context: str, *names: str) -> list[Span]:
        """The spans of a context's trace, once these are among them, each with its parent."""

        async def there() -> bool:
            # What a process writes comes at its own time: a child may come first.
            spans = self.collector.of(context[3:35])
            known = {span.id for span in spans} | {"", UPSTREAM}
            complete = all(span.parent in known for span in spans)
            return complete and set(names) <= {span.name for span in spans}

        try:
            await until(there, 30)
        except AssertionError:
            print(sorted(self.collector.names(context[3:35])))
            raise
        return self.collector.of(context[3:35])


@asynccontextmanager
async def running(
    folder: Path, kafka: Kafka, triton: Triton, collector: Collector, sample: float
) -> AsyncIterator[Scene]:
    blocks = {
        "tasks": TASKS,
        "tracing": {"sample": sample},
        "audit": {"share": 0},
        "judge": {"listen": {"port": 0}},
    }
    with Stage(folder, kafka, triton.url, blocks) as stage:
        await stage.make_topics(1)
        stop = asyncio.Event()
        judge = asyncio.create_task(run_lanes(loads(EchoJudge()), load(stage.config, {}), stop))
        await stage.service().started()
        try:
            yield Scene(stage, collector)
        finally:
            stop.set()
            await asyncio.wait_for(judge, 60)


def by_name(spans: Sequence[Span], name: str) -> Span:
    (found,) = [span for span in spans if span.name == name]
    return found


# Of one of the workers that were asked: seen once, Triton 2.51 did not export those of the other.
TRITON = ("InferRequest", "compute")


async def test_every_kind_of_ticket_has_one_whole_trace(
    kafka: Kafka, triton: Triton, collector: Collector, tmp_path: Path
) -> None:
    async with running(tmp_path, kafka, triton, collector, sample=1.0) as scene:
        topics = scene.stage.topics
        await scene.send(("agreed", {"text": f"{SECRET} #label=1"}, []))
        label, context = await scene.outcome(topics.labels, "agreed/intent")
        assert label is not None
        spans = await scene.trace(context, "send " + topics.labels, "infer echo_b", *TRITON)
        root = otlp.whole(spans)
        assert context[36:52] == by_name(spans, "send " + topics.labels).id
        assert (root.name, root.kind) == (f"process {topics.tickets}", otlp.CONSUMER)
        assert root.attributes == {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": topics.tickets,
            "messaging.destination.partition.id": "0",
            "messaging.kafka.offset": 0,
            "messaging.consumer.group.name": f"{scene.stage.group}-classify",
            "streamer.ticket.id": "agreed",
        }
        step = by_name(spans, "classify intent")
        assert (step.attributes["streamer.label"], step.attributes["streamer.source"]) == (
            label.label,
            "workers",
        )
        batch = by_name(spans, f"process_batch {topics.tickets}")
        assert (batch.links, batch.parent) == ((root.id,), root.id)
        assert batch.attributes["messaging.batch.message_count"] == 1
        send = by_name(spans, "send " + topics.labels)
        assert send.kind == otlp.PRODUCER
        assert send.attributes["messaging.operation.type"] == "send"
        calls = {span.id for span in spans if span.name.startswith("infer echo_")}
        asked = [span for span in spans if span.name == "InferRequest"]
        assert len(calls) == 2
        assert by_name(spans, "infer echo_a").kind == otlp.CLIENT
        assert {span.parent for span in asked} <= calls
        assert {span.service for span in asked} == {"triton"}
        assert {span.service for span in spans} == {"streamer-classify", "triton"}

        upstream = [("traceparent", b"broken"), ("traceparent", _parent(1)), ("tracestate", b"a=1")]
        await scene.send(
            ("judged", {"text": f"{SECRET} #echo_a=0 #echo_b=1 #echo_c=2 #judge=3"}, upstream)
        )
        label, context = await scene.outcome(topics.labels, "judged/intent")
        assert label is not None
        assert (label.label, label.source) == (ECHO_LABELS[3], "judge")
        assert context[3:35] == _parent(1).decode()[3:35]
        names = [f"process {topics.judge}", "judge intent", f"send {topics.labels}", "infer echo_c"]
        spans = await scene.trace(context, *names, *TRITON)
        assert otlp.whole(spans, UPSTREAM).name == f"process {topics.tickets}"
        assert {span.service for span in spans} == {"streamer-classify", "streamer-judge", "triton"}
        judged = by_name(spans, f"process {topics.judge}")
        assert judged.parent == by_name(spans, f"send {topics.judge}").id
        assert judged.attributes["messaging.consumer.group.name"] == f"{scene.stage.group}-judge"
        assert by_name(spans, "judge intent").attributes["streamer.source"] == "judge"

        text = f"{SECRET} #label=1 #judge=2"
        await scene.send(("corrected", {"text": text, "kind": "mood"}, []))
        label, context = await scene.outcome(topics.labels, "corrected/mood", revision=1)
        assert label is not None
        assert (label.label, label.verdict) == (ECHO_LABELS[2], "corrected")
        spans = await scene.trace(context, "classify mood", "judge mood", *TRITON)
        otlp.whole(spans)
        assert len([span for span in spans if span.name == f"send {topics.labels}"]) == 3

        await scene.send(("dead", b"{no json", [("traceparent", _parent(2))]))
        _, context = await scene.outcome(topics.dead, "dead")
        spans = await scene.trace(context, f"send {topics.dead}")
        root = otlp.whole(spans, UPSTREAM)
        assert (root.status, root.attributes["error.type"]) == (otlp.ERROR, "unreadable")

        await _answered(scene)
        await _batched(scene)
    assert not collector.refused
    assert not any(SECRET.encode() in body for body in collector.bodies)


async def _answered(scene: Scene) -> None:
    """A person's answer that carries the review's or label's context is of the same trace."""
    topics = scene.stage.topics
    label, context = await scene.outcome(topics.labels, "agreed/intent")
    assert label is not None
    said = Answer(
        decision_id=label.decision_id,
        ticket_id=label.ticket_id,
        task=label.task,
        label=ECHO_LABELS[3],
        label_set=label.label_set,
        reviewer="ann",
        at=label.decided_at,
        position=label.position,
    )
    headers = [("traceparent", context.encode())]
    async with AIOKafkaProducer(bootstrap_servers=scene.stage.bootstrap) as producer:
        await producer.send_and_wait(topics.answers, said.to_json(), headers=headers)
    answered, after = await scene.outcome(topics.labels, "agreed/intent", revision=2)
    assert answered is not None
    assert (answered.source, answered.label) == ("person", ECHO_LABELS[3])
    assert after[3:35] == context[3:35]
    spans = await scene.trace(after, f"process {topics.answers}", f"send {topics.log}")
    assert otlp.whole(spans).name == f"process {topics.tickets}"
    assert by_name(spans, f"process {topics.answers}").parent == context[36:52]


async def _batched(scene: Scene) -> None:
    """Tickets that come together: their batch is a trace of its own, linked both ways."""
    topics, count = scene.stage.topics, 300
    await scene.send(
        *((f"t{n}", {"text": f"{SECRET} {n} #label={n % 4}"}, []) for n in range(count))
    )
    contexts = [await scene.outcome(topics.labels, f"t{n}/intent") for n in (0, count - 1)]
    for _, context in contexts:
        spans = await scene.trace(context, f"send {topics.labels}")
        root = otlp.whole(spans)
        assert len(root.links) == 1

        async def linked(link: str = root.links[0]) -> bool:
            return any(span.id == link for span in scene.collector.spans)

        await until(linked, 30)
        batch = next(span for span in scene.collector.spans if span.id == root.links[0])
        assert root.id in batch.links
        found = await scene.trace(f"00-{batch.trace}", "infer echo_a", *TRITON)
        assert otlp.whole(found).name == f"process_batch {topics.tickets}"
        assert all(len(span.links) <= 128 for span in found)


async def test_what_was_not_sampled_is_followed_where_it_went_wrong(
    kafka: Kafka, triton: Triton, collector: Collector, tmp_path: Path
) -> None:
    async with running(tmp_path, kafka, triton, collector, sample=0.0) as scene:
        topics = scene.stage.topics
        unsampled = [("traceparent", _parent(7)[:-1] + b"0")]
        await scene.send(
            ("agreed", {"text": f"{SECRET} #label=1"}, []),
            ("corrected", {"text": f"{SECRET} #label=1 #judge=2", "kind": "mood"}, []),
            ("dead", b"{no json", unsampled),
        )
        _, context = await scene.outcome(topics.dead, "dead")
        assert context[3:35] == _parent(7).decode()[3:35]
        spans = await scene.trace(context, f"send {topics.dead}")
        root = otlp.whole(spans)
        assert (root.attributes["streamer.late"], root.status) == ("error", otlp.ERROR)
        assert context[36:52] == by_name(spans, f"send {topics.dead}").id
        _, context = await scene.outcome(topics.labels, "corrected/mood", revision=1)
        spans = await scene.trace(context, "judge mood", f"send {topics.labels}")
        root = otlp.whole(spans)
        assert root.attributes["streamer.late"] == "corrected"
        assert root.attributes["streamer.ticket.id"] == "corrected"
        assert by_name(spans, "judge mood").start == root.start < root.end
        _, context = await scene.outcome(topics.labels, "agreed/intent")
        assert context.endswith("-00")
        assert not collector.of(context[3:35])


def _parent(number: int) -> bytes:
    return f"00-0af7651916cd43dd8448eb211c80{number:04x}-{UPSTREAM}-01".encode()
