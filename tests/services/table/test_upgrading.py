"""A labels topic of before the table: what stands once a table reads it."""

import asyncio
import random
from dataclasses import MISSING, fields, replace

import orjson
import pytest

from streamer.commands import topics
from streamer.config.load import load
from streamer.config.settings import Settings
from streamer.records.label import DELETED_AT, Label
from streamer.services.table.service import serve
from tests.services.table.histories import History, Raw
from tests.services.table.oracle import Person
from tests.stage import Stage
from tests.table_scene import by_client, by_version_1, key_of, last, play, read, settled

TICKETS = 80
OPTIONAL = {one.name for one in fields(Label) if one.default is not MISSING}


def of_before(record: Raw) -> Raw:
    """A record as the first release wrote it: without anything that was added since."""
    if record.value is None:
        return replace(record, headers=tuple(one for one in record.headers if one[0] == DELETED_AT))
    raw = orjson.loads(record.value)
    return replace(record, value=orjson.dumps({k: v for k, v in raw.items() if k not in OPTIONAL}))


def compacted(records: list[Raw], dice: random.Random) -> list[Raw]:
    """Without some of those behind which there is another of the key."""
    kept = [one for one in records[:-1] if dice.random() < 0.6]
    return [*kept, *records[-1:]]


async def made(settings: Settings, partitions: int | None = None) -> None:
    """Make what is missing, as a user would."""
    done = await asyncio.to_thread(
        topics.run, settings, create=True, partitions=partitions, replication=None, as_json=False
    )
    assert done == 0


@pytest.mark.parametrize("thinned", [False, True])
async def test_of_labels_without_a_table_all_readers_find_what_stands(
    stage: Stage, thinned: bool
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    settings = load(stage.config)
    before = settings.topics.model_copy(update={"current": None})
    await made(settings.model_copy(update={"topics": before}), 3)
    written = {
        f"T-{n}": [of_before(one) for one in History(dice).records(9)] for n in range(TICKETS)
    }
    if thinned:
        written = {name: compacted(records, dice) for name, records in written.items()}
    count = await play(stage, {name: iter(records) for name, records in written.items()})

    await made(settings)
    stop = asyncio.Event()
    table = asyncio.create_task(serve(settings, stop))
    await settled(stage)
    stop.set()
    await table

    assert settings.topics.current is not None
    current = await read(stage, settings.topics.current)
    labels = await read(stage, settings.topics.labels)
    stands = last(current)
    assert stands == by_client(current) == by_client(labels) == by_version_1(labels)
    assert len(labels) > count
    told = {one.key.decode(): one.value for one in current}
    heard = {key_of(name): Person().hear(some).newest for name, some in written.items()}
    people = {key: newest[1] for key, newest in heard.items() if newest is not None}
    assert len(people) > TICKETS // 10
    for key, name in people.items():
        one = orjson.loads(told[key])
        assert (one["source"], one["label"]) == ("person", name)
