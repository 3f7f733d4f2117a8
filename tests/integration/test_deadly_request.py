"""A request that the judge does not survive, on a real Kafka: it is set aside, the rest goes on."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from streamer.dev.kafka import Kafka
from streamer.judging.judge import EngineDead
from streamer.records.judge_request import JudgeRequest
from tests.accounting import whole
from tests.integration.test_audit_lane import Lanes
from tests.services.judging import request
from tests.stage import until

REQUESTS = 40
DEADLY = 17


async def _feed(kafka: Kafka, topic: str, *deadly: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for number in range(REQUESTS):
            made = request("die" if number in deadly else "good", number=number)
            await producer.send_and_wait(topic, made.to_json(), key=b"%d" % number)


async def test_a_request_that_ends_the_judge_again_and_again_is_set_aside(kafka: Kafka) -> None:
    lanes = Lanes(kafka)
    await lanes.make_topics()
    await _feed(kafka, lanes.topics.judge, DEADLY)
    # One end among others, and two alone.
    for _ in range(3):
        async with lanes.running() as serving:
            with pytest.raises(EngineDead):
                await asyncio.wait_for(serving, 60)
    async with lanes.running() as serving:
        await until(lambda: lanes.committed(lanes.topics.judge), 60)
        lanes.stop.set()
        await serving
    letters = [record async for record in whole(kafka.bootstrap, lanes.topics.dead)]
    assert [JudgeRequest.from_json(one.value).ticket.id for one in letters] == [f"t{DEADLY}"]
    assert b"killed_the_judge" in dict(letters[0].headers).values()
    labels = [record async for record in whole(kafka.bootstrap, lanes.topics.labels)]
    judged = {f"t{number}/mood".encode() for number in range(REQUESTS) if number != DEADLY}
    assert {record.key for record in labels} == judged


async def test_who_waits_while_another_is_tried_is_not_taken_for_the_cause(kafka: Kafka) -> None:
    lanes = Lanes(kafka, flow={"max_batch": 4, "in_flight": 16})
    await lanes.make_topics()
    deadly = (DEADLY, DEADLY + 9)
    await _feed(kafka, lanes.topics.judge, *deadly)
    ends = 0
    while ends <= 3 * len(deadly):
        async with lanes.running() as serving:
            await _done(lanes, serving)
            if not serving.done():
                break
            assert isinstance(serving.exception(), EngineDead)
            ends += 1
    print(f"{ends} ends")
    letters = [record async for record in whole(kafka.bootstrap, lanes.topics.dead)]
    dead = {JudgeRequest.from_json(one.value).ticket.id for one in letters}
    assert dead == {f"t{number}" for number in deadly}


async def _done(lanes: Lanes, serving: "asyncio.Task[None]") -> None:
    """The service has ended, or there is nothing left."""

    async def over() -> bool:
        return serving.done() or await lanes.committed(lanes.topics.judge)

    # The group has no coordinator before the first commit.
    await asyncio.sleep(1)
    await until(over, 60)
