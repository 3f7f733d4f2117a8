"""What the metrics say of a service at work, beside what lies on the topics."""

import asyncio
import re
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from streamer.records.answer import Answer
from streamer.records.label import Label
from streamer.stream.clients import Clients
from streamer.stream.connection import Connection
from streamer.stream.end_offsets import EndOffsets
from streamer.stream.topics import TopicSpec, create_topics
from tests.accounting import whole
from tests.conftest import ECHO_LABELS, unique_topic
from tests.stage import BROKEN, Service, Stage, agreed, disputed, until


async def shown(service: Service) -> Counter[str]:
    """Every sample of a service, by its name and labels as they are written."""

    def read() -> str:
        with urllib.request.urlopen(f"{service.url}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    samples = re.findall(r"^([a-z]\S+(?:{.*})?) (\S+)$", await asyncio.to_thread(read), re.M)
    return Counter({name: float(value) for name, value in samples})


def kafka_metric(name: str, operation: str, topic: str) -> str:
    return (
        f'{name}{{messaging_destination_name="{topic}",messaging_operation_name="{operation}",'
        'messaging_system="kafka"}'
    )


async def test_a_service_counts_what_lies_on_the_topics(
    kafka: Kafka, triton_echo: Triton, tmp_path: Path
) -> None:
    budget = {"labels": list(ECHO_LABELS), "workers": ["echo_a", "echo_b", "echo_c"]}
    blocks = {"tasks": {"intent": {**budget, "budget": {"share": 0.5}}}}
    with Stage(tmp_path, kafka, triton_echo.url, blocks) as stage:
        await stage.make_topics(2)
        topics, service = stage.topics, stage.service()
        await service.started()
        await stage.feed([(agreed, disputed)[n % 2](n) for n in range(400)] + [BROKEN])
        await stage.drained()
        await _answer(stage)

        async def answered() -> bool:
            return (await shown(service))['streamer_commits_total{lane="answers"}'] > 0

        await until(answered, 60)
        found = await shown(service)
        labels = [record async for record in whole(stage.bootstrap, topics.labels)]
    consumed = "messaging_client_consumed_messages_total"
    assert found[kafka_metric(consumed, "poll", topics.tickets)] == 401
    assert found[kafka_metric(consumed, "poll", topics.answers)] == 1
    sent = "messaging_client_sent_messages_total"
    assert found[kafka_metric(sent, "send", topics.labels)] == len(labels)
    assert found[kafka_metric(sent, "send", topics.dead)] == 1
    took = "messaging_client_operation_duration_seconds_count"
    for operation, topic in (
        ("poll", topics.tickets),
        ("commit", topics.tickets),
        ("send", topics.labels),
    ):
        assert found[kafka_metric(took, operation, topic)] > 0
    batches = kafka_metric("messaging_process_duration_seconds_count", "process", topics.tickets)
    assert found[batches] == found['streamer_batches_total{lane="main"}'] > 0
    in_batches = f'streamer_batch_records_sum{{messaging_destination_name="{topics.tickets}"}}'
    assert found[in_batches] == found['streamer_records_total{lane="main"}'] == 401
    assert found['streamer_records_total{lane="answers"}'] == 1
    assert found['streamer_redelivered_total{lane="main"}'] == 0
    assert found['streamer_dead_letters_total{reason="unreadable"}'] == 1
    assert [found[f'streamer_lag_records{{lane="main",partition="{n}"}}'] for n in (0, 1)] == [0, 0]
    assert 0 < found['streamer_judge_budget_spent_ratio{task="intent"}'] < 1
    assert found['streamer_judge_budget_calls{task="intent"}'] > 0


async def _answer(stage: Stage) -> None:
    records = [record async for record in whole(stage.bootstrap, stage.topics.labels)]
    label = Label.from_json(records[0].value)
    said = Answer(
        label.decision_id,
        label.ticket_id,
        label.task,
        label.label,
        label.label_set,
        "ann",
        label.decided_at,
        label.position,
    )
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        await producer.send_and_wait(stage.topics.answers, said.to_json())


@pytest.fixture
async def topic(kafka: Kafka) -> str:
    name = unique_topic("lagging")
    await create_topics(kafka.bootstrap, [TopicSpec(name, 2)])
    return name


async def test_the_lag_is_known_of_partitions_that_nothing_is_read_from(
    kafka: Kafka, topic: str
) -> None:
    clients = Clients(Connection(bootstrap=kafka.bootstrap))
    group = unique_topic("group")
    first = clients.consumer(group, member=None, session_timeout=6, drain=1)
    second = clients.consumer(group, member=None, session_timeout=6, drain=1)
    zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
    async with (
        AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer,
        clients.started(first),
    ):
        await _fill(producer, topic, 10)
        first.subscribe(topics=[topic])
        await until(lambda: _has(first, 2), 60)
        first.pause(zero, one)
        first.seek(zero, 4)
        first.seek(one, 0)
        await first.commit({zero: 4, one: 0})
        ends = EndOffsets(first)
        assert ends.lags({}) == {}
        await ends.look()
        assert ends.lags({}) == {0: 6, 1: 10}
        assert ends.lags({zero: 9}) == {0: 1, 1: 10}
        # Nothing is fetched of a paused partition, so the client sees none of these.
        await _fill(producer, topic, 5)
        seen = first.highwater(zero)
        assert seen is None or seen < 15
        await ends.look()
        assert ends.lags({zero: 9}) == {0: 6, 1: 15}
        async with clients.started(second):
            second.subscribe(topics=[topic])
            await asyncio.gather(
                until(lambda: _has(second, 1), 60), until(lambda: _has(first, 1), 60)
            )
            # What went to the other member is its lag now, also before anything is asked again.
            assert len(ends.lags({})) == 1
            theirs = EndOffsets(second)
            await asyncio.gather(ends.look(), theirs.look())
            assert ends.lags({}) | theirs.lags({}) == {0: 11, 1: 15}


async def _fill(producer: AIOKafkaProducer, topic: str, count: int) -> None:
    for number in range(2 * count):
        await producer.send(topic, b"x", partition=number % 2)
    await producer.flush()


async def _has(consumer: object, count: int) -> bool:
    # Assigned in the background; no poll, which would move the position.
    return len(consumer.assignment()) == count
