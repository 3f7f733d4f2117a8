"""Kafka goes away and changes under classify and judge: nothing is lost, and no process ends."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from streamer.dev.triton import Triton
from streamer.records.label import Label
from tests.accounting import whole
from tests.language_stage import language_stage
from tests.slow.test_changing_topics import made_again, more_partitions
from tests.stage import Service, Stage, Wire, agreed, ticket, until

pytestmark = pytest.mark.slow

AWAY_S = 15
PER_SECOND = 50
TICKETS = 40 * PER_SECOND
AGAIN = 100
WITHIN_S = 180


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with Kafka(tmp_path_factory.mktemp("kafka"), port=free_port()) as broker:
        yield broker


@pytest.fixture
async def stage(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> AsyncIterator[Stage]:
    async with language_stage(tmp_path, kafka, partitions=2, triton=triton_echo.url) as made:
        yield made


async def test_classify_and_judge_outlive_all_that_happens_to_kafka(
    stage: Stage, kafka: Kafka
) -> None:
    classify = stage.service(member="classify")
    judge = stage.service("judge", member="judge")
    judge.start()
    await classify.started()
    await judge.started(400)

    feeding = asyncio.create_task(stage.feed(map(mixed, range(TICKETS)), rate=PER_SECOND))
    await labels_of(judge, 1)
    await asyncio.to_thread(kafka.stop)
    await asyncio.sleep(AWAY_S)
    assert classify.child.running, classify.log
    assert judge.child.running, judge.log
    await asyncio.to_thread(kafka.start)
    await feeding
    await in_order(stage, TICKETS)

    for topic in (stage.topics.tickets, stage.topics.judge):
        await more_partitions(stage, 4, topic)
    await stage.feed(map(mixed, range(TICKETS, TICKETS + 600)), rate=20)
    await in_order(stage, TICKETS + 600)
    used = [one.partition async for one in whole(stage.bootstrap, stage.topics.judge)]
    assert set(used) == {0, 1, 2, 3}

    # The same places again, with the same ids and other texts.
    begun = Counter([label.ticket_id async for label in labels(stage)])
    for text in ("first", "second"):
        # As many partitions as before: what was meant for one that is no more ends who writes it.
        for topic in (stage.topics.tickets, stage.topics.judge):
            await made_again(stage, topic, 4)
        await stage.feed(disputed(number, text) for number in range(AGAIN))
        begun.update(f"t{number}" for number in range(AGAIN))
        await until(lambda: published(stage, begun), WITHIN_S)
        assert [service.child.running for service in (classify, judge)] == [True, True]
    assert await classify.stopped() == 0
    assert await judge.stopped() == 0


async def test_what_was_written_in_an_aborted_transaction_is_no_ticket(
    tmp_path: Path, kafka: Kafka, triton_echo: Triton
) -> None:
    with Stage(tmp_path, kafka, triton_echo.url) as stage:
        await stage.make_topics(partitions=2)
        service = stage.service()
        await service.started()
        async with AIOKafkaProducer(
            bootstrap_servers=stage.bootstrap, transactional_id="the user's own"
        ) as producer:
            for number in range(40):
                await transaction(stage, producer, range(10 * number, 10 * number + 10))
        expected = {f"t{number}" for number in range(400) if number // 10 % 2 == 0}

        async def all_there() -> bool:
            return expected <= {label.ticket_id async for label in labels(stage)}

        await until(all_there, WITHIN_S)
        assert Counter([label.ticket_id async for label in labels(stage)]) == Counter(expected)
        assert await service.stopped() == 0


def mixed(number: int) -> Wire:
    return disputed(number, "first") if number % 5 == 0 else agreed(number)


def disputed(number: int, text: str) -> Wire:
    return ticket(number, f"#echo_a=0 #echo_b=1 #echo_c=2 {text}")


async def labels_of(service: Service, count: int) -> None:
    async def enough() -> bool:
        return await asyncio.to_thread(service.metric, "streamer_labels_total") >= count

    await until(enough, 240)


async def in_order(stage: Stage, count: int) -> None:
    """All that was written has its label."""
    await stage.drained()
    await stage.drained(180, "judge")
    account = await stage.account()
    assert len(account.inputs) >= count
    assert account.unaccounted(["intent"]) == {}
    assert set(account.totals(["intent"])) == {"label"}


async def published(stage: Stage, least: Counter[str]) -> bool:
    """Whether each ticket has as many labels, or more: delivery is at least once."""
    return least <= Counter([label.ticket_id async for label in labels(stage)])


async def labels(stage: Stage) -> AsyncIterator[Label]:
    async for one in whole(stage.bootstrap, stage.topics.labels):
        yield Label.from_json(one.value)


async def transaction(stage: Stage, producer: AIOKafkaProducer, numbers: range) -> None:
    """Every second one is aborted."""
    await producer.begin_transaction()
    for number in numbers:
        key, value = agreed(number)
        await producer.send(stage.topics.tickets, value, key=key)
    await producer.flush()
    if numbers.start // 10 % 2 == 0:
        await producer.commit_transaction()
    else:
        await producer.abort_transaction()
