"""What a subscriber with another client finds on the topics."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from jsonschema import Draft202012Validator

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from tests.conftest import ECHO_LABELS, ECHO_MODELS
from tests.stage import Stage, agreed, disputed, streamer, ticket

TASKS = {
    "intent": {"labels": list(ECHO_LABELS), "workers": list(ECHO_MODELS)},
    "detail": {
        "labels": list(ECHO_LABELS),
        "workers": list(ECHO_MODELS),
        "when": {"task": "intent", "in": list(ECHO_LABELS[:2])},
    },
}


@pytest.fixture
def stage(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> Iterator[Stage]:
    with Stage(tmp_path, kafka, triton_echo.url, {"tasks": TASKS}) as made:
        yield made


async def test_another_client_reads_valid_json_by_the_published_schemas(stage: Stage) -> None:
    await stage.make_topics()
    odd = [
        ticket(100, '#label=1 für 世界 🎫 \u2028 \\ " </script>'),
        ticket("ü/🎫", "#label=0 an id like this"),
        # One vote is missing, and its probabilities are null.
        ticket(101, "#nan"),
        ticket(102, "#echo_a=0 #echo_b=1 #echo_c=2", extra={"deep": [1, None, 2.5]}),
    ]
    wires = [*map(agreed, range(50)), *map(disputed, range(50, 60)), *odd]
    await stage.feed(wires)
    service = stage.service()
    await service.started()
    await stage.drained()
    labels = read(stage.bootstrap, stage.topics.labels)
    requests = read(stage.bootstrap, stage.topics.judge)
    assert await service.stopped() == 0

    is_label, is_request = validator("label"), validator("judge-request")
    for message in labels:
        body = checked(message, is_label)
        assert message.key().decode() == f"{body['ticket_id']}/{body['task']}"
        assert traceparent(message).startswith("00-")
    for message in requests:
        body = checked(message, is_request)
        assert message.key().decode() == f"{body['ticket']['id']}/{body['task']}"
        assert traceparent(message) == body["traceparent"]
    found = {json.loads(message.value())["ticket_id"] for message in labels}
    asked = {json.loads(message.value())["ticket"]["id"] for message in requests}
    assert found | asked == {json.loads(value or b"")["id"] for _, value in wires}
    assert any(json.loads(message.value())["followers"] for message in requests)


def test_the_schemas_refuse_what_is_no_such_record() -> None:
    assert not validator("label").is_valid({"ticket_id": "t1"})
    assert not validator("judge-request").is_valid({"ticket": "t1"})


def validator(name: str) -> Draft202012Validator:
    printed = streamer("schema", name)
    assert printed.returncode == 0, printed.stderr
    schema = json.loads(printed.stdout)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def checked(message: Message, valid: Draft202012Validator) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(message.value())
    valid.validate(body)
    return body


def traceparent(message: Message) -> str:
    return dict(message.headers())["traceparent"].decode()


def read(bootstrap: str, topic: str) -> list[Message]:
    """All that is on a topic now, by librdkafka."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "another client"})
    numbers = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    ends = {n: consumer.get_watermark_offsets(TopicPartition(topic, n))[1] for n in numbers}
    consumer.assign([TopicPartition(topic, number, 0) for number in numbers])
    found: list[Message] = []
    try:
        while len(found) < sum(ends.values()):
            message = consumer.poll(30)
            assert message is not None, f"{len(found)} of {sum(ends.values())}"
            assert message.error() is None
            found.append(message)
    finally:
        consumer.close()
    return found
