"""`streamer topics`: which of the configured topics are there, and the others made."""

import asyncio
from collections.abc import Iterator, Sequence

from aiokafka.errors import KafkaError

from streamer.config.settings import Settings
from streamer.errors import BrokerError
from streamer.services.streaming import connection
from streamer.services.topic_recipe import by_hand, recipes
from streamer.stream.clients import Clients
from streamer.stream.topics import TopicSpec, create_topics
from streamer.terminal import note, paint, tell, tell_json

_COPIES = 3


def run(
    settings: Settings, *, create: bool, partitions: int, replication: int | None, as_json: bool
) -> int:
    """List the configured topics, after making what is missing where `create` says so.

    Returns 1 where some are still missing. Raises `ConfigError` without Kafka, `BrokerError` where
    it refuses. Without `replication` there are three copies, or one on each of fewer brokers.
    """
    wanted = recipes(settings, partitions)
    made = asyncio.run(_create(settings, wanted, replication)) if create else []
    there = asyncio.run(_there(settings))
    states = {one.name: _state(one.name, made, there) for one in wanted}
    for one in wanted:
        if as_json:
            tell_json({"topic": one.name, "state": states[one.name]})
        else:
            tell("  ".join(_cells(one, states[one.name])))
    missing = [name for name, state in states.items() if state == "missing"]
    if missing:
        note("run `streamer topics --create`, or make them with Kafka's own tools:")
        for name in missing:
            note(f"  {by_hand(settings, name)}")
    return 1 if missing else 0


async def _create(
    settings: Settings, wanted: Sequence[TopicSpec], replication: int | None
) -> list[str]:
    client = connection(settings.kafka).options()
    copies = replication or min(_COPIES, await _brokers(settings))
    bootstrap = client.pop("bootstrap_servers")
    return await create_topics(bootstrap, wanted, replication=copies, client=client)


async def _brokers(settings: Settings) -> int:
    async with Clients(connection(settings.kafka)).admin() as admin:
        return len((await admin.describe_cluster())["brokers"])


async def _there(settings: Settings) -> set[str]:
    try:
        async with Clients(connection(settings.kafka)).admin() as admin:
            return set(await admin.list_topics())
    except KafkaError as error:
        raise BrokerError(
            f"Kafka doesn't list its topics ({error!r}); look at the brokers"
        ) from error


def _state(name: str, made: Sequence[str], there: set[str]) -> str:
    if name in made:
        return "created"
    return "there" if name in there else "missing"


def _cells(one: TopicSpec, state: str) -> Iterator[str]:
    yield paint(f"{state:<7}", "yellow" if state == "missing" else "green")
    yield f"{one.name:<28}"
    yield f"{one.config['cleanup.policy']:<7}"
    yield f"{one.partitions} partition{'s' if one.partitions > 1 else ''}"
