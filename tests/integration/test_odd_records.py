"""Records that nobody wants, through the real process: each as designed, and the stream goes on."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from confluent_kafka import Producer

from streamer.client import LabelStream, LabelTable
from streamer.commands.dead.handling import replay
from streamer.commands.dead.selection import Selection
from streamer.commands.dead.view import show
from streamer.config.load import load
from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from streamer.records.dead_letter import DeadLetter
from streamer.records.fetched import read_any_header_name
from streamer.records.judge_request import JudgeRequest
from tests.accounting import whole
from tests.stage import Stage, Wire, agreed, ticket

LARGE = 5_000_000


@pytest.fixture
def stage(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> Iterator[Stage]:
    with Stage(tmp_path, kafka, triton_echo.url) as made:
        yield made


def large(number: int, markers: str) -> Wire:
    return ticket(number, markers.ljust(LARGE, "x"))


def between_good_ones(odd: Sequence[Wire]) -> list[Wire]:
    """A good ticket after each odd record: number 100 and up."""
    return [
        wire for number, item in enumerate(odd, start=100) for wire in (item, agreed(number, 60))
    ]


async def test_what_is_no_ticket_becomes_a_dead_letter_byte_for_byte(stage: Stage) -> None:
    odd: dict[str, list[Wire]] = {
        "no_id": [(b"a", b'{"text": "hello"}'), (b"b", b'{"id": " ", "text": "hello"}')],
        "unreadable": [
            (b"c", b'{"id": "c", "text": "caf\xe9 \xff\xfe"}'),
            (b"d", b""),
            (b"e", b"{"),
            (b"f", b"[1]"),
        ],
        "no_text": [(b"g", b'{"id": "g", "text": ""}')],
        "too_large": [large(1, "#label=1")],
    }
    wires = [wire for some in odd.values() for wire in some]
    await stage.make_topics(partitions=1)
    await stage.feed(between_good_ones(wires), compression_type="lz4")
    service = stage.service()
    await service.started()
    account = await stage.accounted(2 * len(wires))
    letters = [record async for record in whole(stage.bootstrap, stage.topics.dead)]
    expected = [(reason, *wire) for reason, some in odd.items() for wire in some]
    found = [
        (DeadLetter.from_headers(letter.headers).reason, letter.key, letter.value)
        for letter in letters
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert account.unaccounted(["intent"]) == {}
    assert account.totals(["intent"]) == {"label": len(wires), "dead letter": len(wires)}
    assert await service.stopped() == 0


async def test_a_large_compressed_ticket_can_be_deferred_whole(
    tmp_path: Path, kafka: Kafka, triton_echo: Triton
) -> None:
    # The request holds the text twice, as the text and in the user's own fields.
    roomy = {"kafka": {"max_record_bytes": 10_500_000}, "input": {"max_bytes": LARGE + 1000}}
    with Stage(tmp_path, kafka, triton_echo.url, roomy) as stage:
        await stage.make_topics(partitions=1)
        wires = between_good_ones([large(1, "#echo_a=0 #echo_b=1 #echo_c=2 ")])
        await stage.feed(wires, compression_type="lz4")
        service = stage.service()
        await service.started()
        account = await stage.accounted(2)
        (record,) = [item async for item in whole(stage.bootstrap, stage.topics.judge)]
        assert await service.stopped() == 0
    request = JudgeRequest.from_json(record.value)
    assert (request.ticket.id, len(request.ticket.text)) == ("t1", LARGE)
    assert account.totals(["intent"]) == {"deferred": 1, "label": 1}


async def test_what_can_not_be_copied_out_becomes_a_dead_letter(
    tmp_path: Path, kafka: Kafka, triton_echo: Triton
) -> None:
    with Stage(tmp_path, kafka, triton_echo.url, {"input": {"max_bytes": LARGE + 1000}}) as stage:
        await stage.make_topics(partitions=1)
        odd = large(1, "#echo_a=0 #echo_b=1 #echo_c=2 ")
        await stage.feed(between_good_ones([odd]), compression_type="lz4")
        service = stage.service()
        await service.started()
        account = await stage.accounted(2)
        (letter,) = [item async for item in whole(stage.bootstrap, stage.topics.dead)]
        assert await service.stopped() == 0
    assert DeadLetter.from_headers(letter.headers).reason == "too_large_to_copy"
    assert (letter.key, letter.value) == odd
    assert account.totals(["intent"]) == {"dead letter": 1, "label": 1}


async def test_a_null_value_deletes_the_labels_of_its_ticket(stage: Stage) -> None:
    await stage.make_topics(partitions=1)
    await stage.feed([agreed(1), agreed(2), (b"t1", None), agreed(3)])
    service = stage.service()
    await service.started()
    account = await stage.accounted(4)
    table = await labels(stage, 4)
    assert sorted(table) == ["t2/intent", "t3/intent"]
    assert account.totals(["intent"]) == {"label": 3, "deletion": 1}
    assert await service.stopped() == 0


async def test_a_record_without_key_and_value_becomes_a_dead_letter(stage: Stage) -> None:
    await stage.make_topics(partitions=1)
    # aiokafka's producer refuses to send such a record; others don't.
    producer = Producer({"bootstrap.servers": stage.bootstrap})
    producer.produce(stage.topics.tickets, value=None, key=None)
    producer.flush(30)
    await stage.feed([agreed(1)])
    service = stage.service()
    await service.started()
    account = await stage.accounted(2)
    (letter,) = [item async for item in whole(stage.bootstrap, stage.topics.dead)]
    assert (letter.key, letter.value) == (None, None)
    assert DeadLetter.from_headers(letter.headers).reason == "no_id"
    assert account.totals(["intent"]) == {"dead letter": 1, "label": 1}
    assert await service.stopped() == 0


class _OddName(str):
    """What a client in another language writes: bytes that are no text."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"x-\xff\xfe"


async def test_a_header_name_of_any_bytes_costs_its_own_ticket_alone(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    read_any_header_name()  # for what this test itself reads
    await stage.make_topics(partitions=1)
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, 3, 0, -1, -1, 0, 10**6)  # 3: lz4
        for number in range(100):
            key, value = agreed(number)
            headers = [("a", b"1"), (_OddName("?"), b"2")] if number == 50 else [("a", b"1")]
            batch.append(timestamp=None, key=key, value=value, headers=headers)
        await (await producer.send_batch(batch, stage.topics.tickets, partition=0))
    service = stage.service()
    await service.started()
    account = await stage.accounted(100)
    assert account.totals(["intent"]) == {"label": 99, "dead letter": 1}
    (letter,) = [item async for item in whole(stage.bootstrap, stage.topics.dead)]
    odd = ("x-\udcff\udcfe", b"2")
    assert (letter.key, letter.value) == agreed(50)
    assert [header for header in letter.headers if header[0] in ("a", odd[0])] == [("a", b"1"), odd]
    died = DeadLetter.from_headers(letter.headers)
    assert (died.reason, died.offset) == ("header_name", 50)
    assert "x-\\xff\\xfe" in died.error
    settings = load(stage.config)
    await asyncio.to_thread(show, settings, (0, letter.offset), True)
    assert "x-\\\\xff\\\\xfe" in capsys.readouterr().out
    assert await asyncio.to_thread(replay, settings, Selection(), False, False) == 0
    *_, again = [item async for item in whole(stage.bootstrap, stage.topics.tickets)]
    assert again.value == letter.value
    assert again.headers[-3:] == (("a", b"1"), odd, ("dead.attempt", b"1"))
    assert await service.stopped() == 0


async def test_an_id_that_comes_twice_has_two_labels_and_the_later_counts(stage: Stage) -> None:
    await stage.make_topics(partitions=1)
    await stage.feed([ticket(1, "#label=1 before"), ticket(1, "#label=2 after"), agreed(2)])
    service = stage.service()
    await service.started()
    account = await stage.accounted(3)
    table = await labels(stage, 3)
    said = {items[0].said for items in account.published.values()}
    assert {"billing", "shipping"} <= said
    label = table.of("t1", "intent")
    assert label is not None
    assert (label.label, label.position.offset) == ("shipping", 1)
    assert (account.repeats, account.differing) == (0, [])
    assert await service.stopped() == 0


@pytest.mark.parametrize(
    ("offset", "problem"),
    [(10, "15 records were deleted before they were read"), (1000, "the topic ends 960 records")],
)
async def test_an_offset_out_of_range_stops_with_the_number_until_told_where_to_go_on(
    stage: Stage, offset: int, problem: str
) -> None:
    await stage.make_topics(partitions=1)
    await stage.feed(agreed(number) for number in range(40))
    await commit(stage, offset)
    await delete_before(stage, 25)
    service = stage.service()
    service.start()
    assert await service.ended() == 2
    assert f"offset {offset} is out of range: {problem}" in service.log
    assert "Traceback" not in service.log
    resumed = stage.service("classify", "--resume", "earliest")
    await resumed.started()
    await stage.feed([agreed(40)])
    account = await stage.accounted(16)
    assert {place.offset for place in account.published} == set(range(25, 41))
    await stage.drained()
    assert await resumed.stopped() == 0


async def labels(stage: Stage, count: int) -> LabelTable:
    """The state after `count` records of the labels topic."""
    table = LabelTable()
    async with LabelStream(stage.topics.labels, bootstrap_servers=stage.bootstrap) as stream:
        async with asyncio.timeout(60):
            for _ in range(count):
                table.apply(await anext(stream))
    return table


async def commit(stage: Stage, offset: int) -> None:
    partition = TopicPartition(stage.topics.tickets, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stage.bootstrap,
        group_id=f"{stage.group}-classify",
        enable_auto_commit=False,
    )
    async with consumer:
        consumer.assign([partition])
        await consumer.commit({partition: offset})


async def delete_before(stage: Stage, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.bootstrap)
    await admin.start()
    try:
        partition = TopicPartition(stage.topics.tickets, 0)
        await admin.delete_records({partition: RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()
