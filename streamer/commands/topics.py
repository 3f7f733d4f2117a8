"""`streamer topics`: which of the configured topics are there, and the others made."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streamer.commands.check.topic_check import problems
from streamer.commands.topic_recipe import PARTITIONS, by_hand, recipes, wider_by_hand
from streamer.config.settings import Settings
from streamer.errors import BrokerError, ConfigError
from streamer.services.runtime.kafka import connection, kafka_clients
from streamer.stream.retention import topic_config
from streamer.stream.topics import TopicSpec, create_topics, misspelt
from streamer.terminal import note, paint, tell, tell_json
from streamer.words import did_you_mean

_COPIES = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """The names of all topics, and what Kafka has of the configured ones by their names."""

    names: frozenset[str]
    topics: Mapping[str, TopicSpec]


def run(
    settings: Settings,
    *,
    create: bool,
    partitions: int | None,
    replication: int | None,
    as_json: bool,
    tickets: bool = False,
) -> int:
    """List the configured topics as they are, after making what is missing where `create` says so.

    Returns 1 where some are still missing, are set up wrongly, or have fewer than `partitions`
    where these bound how many processes have work. Raises `ConfigError` without Kafka, and where
    the tickets topic is probably misspelt, but for `tickets`; `BrokerError` where it refuses.
    Without `replication` there are three copies, or one on each of fewer brokers.
    """
    wanted = recipes(settings, partitions or PARTITIONS)
    made: list[str] = []
    if create:
        before = asyncio.run(_found(settings))
        if not tickets:
            _check_spelling(settings.topics.tickets, before.names)
        wanted = _as_wide_as_labels(settings, wanted, before.topics)
        made = asyncio.run(_create(settings, wanted, replication))
        _note_new(settings.topics.tickets, made, before.names)
    now = asyncio.run(_found(settings))
    found = now.topics
    for one in wanted:
        there = found.get(one.name)
        _tell(there or one, _state(one.name, made, there), as_json)
    missing = [one.name for one in wanted if one.name not in found]
    wrong = [line for one in found.values() for line in _wrong(settings, one, partitions)]
    for line in wrong:
        note(line)
    _note_missing(settings, missing, now.names)
    return 1 if missing or wrong else 0


async def _create(
    settings: Settings, wanted: Sequence[TopicSpec], replication: int | None
) -> list[str]:
    client = connection(settings.kafka).options()
    copies = replication or min(_COPIES, await _brokers(settings))
    bootstrap = client.pop("bootstrap_servers")
    return await create_topics(bootstrap, wanted, replication=copies, client=client)


def _as_wide_as_labels(
    settings: Settings, wanted: Sequence[TopicSpec], there: Mapping[str, TopicSpec]
) -> list[TopicSpec]:
    """A table writes a key to the partition that it is read from."""
    labels = there.get(settings.topics.labels)
    return [
        replace(one, partitions=labels.partitions)
        if labels is not None and one.name == settings.topics.current
        else one
        for one in wanted
    ]


def _check_spelling(tickets: str, there: frozenset[str]) -> None:
    if (said := _misspelt(tickets, there)) is not None:
        raise ConfigError(
            f"{said} Nothing was made: correct topics.tickets, or add --tickets if a new topic is "
            "meant"
        )


def _misspelt(tickets: str, there: frozenset[str]) -> str | None:
    meant = None if tickets in there else misspelt(tickets, there)
    return None if meant is None else f"there is no topic {tickets!r}; did you mean {meant}?"


def _note_missing(settings: Settings, missing: Sequence[str], there: frozenset[str]) -> None:
    tickets = settings.topics.tickets
    if (said := _misspelt(tickets, there)) is not None:
        note(f"{said} Correct topics.tickets")
        missing = [name for name in missing if name != tickets]
    if missing:
        note("run `streamer topics --create`, or make them with Kafka's own tools:")
    for name in missing:
        note(f"  {by_hand(settings, name)}")


def _note_new(tickets: str, made: Sequence[str], there: frozenset[str]) -> None:
    if tickets in made and there:
        hint = did_you_mean(tickets, there) or "; your producers have to write there"
        note(f"{tickets} is new, and nobody has written tickets to it{hint}")


async def _brokers(settings: Settings) -> int:
    async with kafka_clients(settings.kafka).admin() as admin:
        return len((await admin.describe_cluster())["brokers"])


async def _found(settings: Settings) -> _Found:
    try:
        async with kafka_clients(settings.kafka).admin() as admin:
            names = frozenset(await admin.list_topics())
            ours = [name for name in settings.topics.names if name in names]
            described = await admin.describe_topics(ours) if ours else []
            counts = {topic["topic"]: len(topic["partitions"]) for topic in described}
            specs = [TopicSpec(name, counts[name], await _config(admin, name)) for name in ours]
    except KafkaError as error:
        raise BrokerError(
            f"Kafka doesn't list its topics ({error!r}); look at the brokers"
        ) from error
    return _Found(names, {one.name: one for one in specs})


async def _config(admin: AIOKafkaAdminClient, name: str) -> Mapping[str, str]:
    """Of a topic whose settings this user may not see, none: that is no reason to make nothing."""
    try:
        return await topic_config(admin, name)
    except BrokerError as error:
        note(str(error))
        return {}


def _wrong(settings: Settings, one: TopicSpec, partitions: int | None) -> Iterator[str]:
    for problem in problems(one.name, one.config, settings):
        yield f"{one.name}: {problem}"
    shared = one.name in (settings.topics.tickets, settings.topics.judge)
    if shared and partitions is not None and one.partitions < partitions:
        service = "classify" if one.name == settings.topics.tickets else "judge"
        yield (
            f"{one.name} has {_counted(one)}, and --partitions asks for {partitions}: more "
            f"processes of {service} than that get no work. Add some by "
            f"`{wider_by_hand(settings, one.name, partitions)}`, which moves keys to other "
            f"partitions, or ask for {one.partitions} (topics.partitions in the chart)"
        )


def _state(name: str, made: Sequence[str], there: TopicSpec | None) -> str:
    if there is None:
        return "missing"
    return "created" if name in made else "there"


def _tell(one: TopicSpec, state: str, as_json: bool) -> None:
    if not as_json:
        tell("  ".join(_cells(one, state)))
    elif state == "missing":
        tell_json({"topic": one.name, "state": state})
    else:
        told = {"partitions": one.partitions, "cleanup_policy": _policy(one)}
        tell_json({"topic": one.name, "state": state, **told})


def _cells(one: TopicSpec, state: str) -> Iterator[str]:
    yield paint(f"{state:<7}", "yellow" if state == "missing" else "green")
    yield f"{one.name:<28}"
    yield f"{_policy(one):<7}"
    yield _counted(one)


def _policy(one: TopicSpec) -> str:
    return one.config.get("cleanup.policy", "?")


def _counted(one: TopicSpec) -> str:
    return f"{one.partitions} partition{'s' if one.partitions > 1 else ''}"
