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
class _TopicsFound:
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
    created: list[str] = []
    if create:
        before = asyncio.run(_found(settings))
        if not tickets:
            _check_spelling(settings.topics.tickets, before.names)
        wanted = _as_wide_as_labels(settings, wanted, before.topics)
        created = asyncio.run(_create(settings, wanted, replication))
        _note_new(settings.topics.tickets, created, before.names)
    now = asyncio.run(_found(settings))
    topics = now.topics
    for spec in wanted:
        there = topics.get(spec.name)
        _tell(there or spec, _state(spec.name, created, there), as_json)
    missing = [spec.name for spec in wanted if spec.name not in topics]
    wrong = [line for spec in topics.values() for line in _wrong(settings, spec, partitions)]
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
        replace(spec, partitions=labels.partitions)
        if labels is not None and spec.name == settings.topics.current
        else spec
        for spec in wanted
    ]


def _check_spelling(tickets: str, there: frozenset[str]) -> None:
    if (warning := _misspelt(tickets, there)) is not None:
        raise ConfigError(
            f"{warning} Nothing was made: correct topics.tickets, or add --tickets if a new "
            "topic is meant"
        )


def _misspelt(tickets: str, there: frozenset[str]) -> str | None:
    meant = None if tickets in there else misspelt(tickets, there)
    return None if meant is None else f"there is no topic {tickets!r}; did you mean {meant}?"


def _note_missing(settings: Settings, missing: Sequence[str], there: frozenset[str]) -> None:
    tickets = settings.topics.tickets
    if (warning := _misspelt(tickets, there)) is not None:
        note(f"{warning} Correct topics.tickets")
        missing = [name for name in missing if name != tickets]
    if missing:
        note("run `streamer topics --create`, or make them with Kafka's own tools:")
    for name in missing:
        note(f"  {by_hand(settings, name)}")


def _note_new(tickets: str, created: Sequence[str], there: frozenset[str]) -> None:
    if tickets in created and there:
        hint = did_you_mean(tickets, there) or "; your producers have to write there"
        note(f"{tickets} is new, and nobody has written tickets to it{hint}")


async def _brokers(settings: Settings) -> int:
    async with kafka_clients(settings.kafka).admin() as admin:
        return len((await admin.describe_cluster())["brokers"])


async def _found(settings: Settings) -> _TopicsFound:
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
    return _TopicsFound(names, {spec.name: spec for spec in specs})


async def _config(admin: AIOKafkaAdminClient, name: str) -> Mapping[str, str]:
    """Of a topic whose settings this user may not see, none: that is no reason to make nothing."""
    try:
        return await topic_config(admin, name)
    except BrokerError as error:
        note(str(error))
        return {}


def _wrong(settings: Settings, spec: TopicSpec, partitions: int | None) -> Iterator[str]:
    for problem in problems(spec.name, spec.config, settings):
        yield f"{spec.name}: {problem}"
    shared = spec.name in (settings.topics.tickets, settings.topics.judge)
    if shared and partitions is not None and spec.partitions < partitions:
        service = "classify" if spec.name == settings.topics.tickets else "judge"
        yield (
            f"{spec.name} has {_counted(spec)}, and --partitions asks for {partitions}: more "
            f"processes of {service} than that get no work. Add some by "
            f"`{wider_by_hand(settings, spec.name, partitions)}`, which moves keys to other "
            f"partitions, or ask for {spec.partitions} (topics.partitions in the chart)"
        )


def _state(name: str, created: Sequence[str], there: TopicSpec | None) -> str:
    if there is None:
        return "missing"
    return "created" if name in created else "there"


def _tell(spec: TopicSpec, state: str, as_json: bool) -> None:
    if not as_json:
        tell("  ".join(_cells(spec, state)))
    elif state == "missing":
        tell_json({"topic": spec.name, "state": state})
    else:
        told = {"partitions": spec.partitions, "cleanup_policy": _policy(spec)}
        tell_json({"topic": spec.name, "state": state, **told})


def _cells(spec: TopicSpec, state: str) -> Iterator[str]:
    yield paint(f"{state:<7}", "yellow" if state == "missing" else "green")
    yield f"{spec.name:<28}"
    yield f"{_policy(spec):<7}"
    yield _counted(spec)


def _policy(spec: TopicSpec) -> str:
    return spec.config.get("cleanup.policy", "?")


def _counted(spec: TopicSpec) -> str:
    return f"{spec.partitions} partition{'s' if spec.partitions > 1 else ''}"
