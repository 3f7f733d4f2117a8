"""The topics that a configuration needs, as Kafka should have them."""

from collections.abc import Iterator

from streamer.config.settings import Settings
from streamer.stream.topics import TopicSpec

PARTITIONS = 6
SEEN_BY_THE_TABLE_MS = 7 * 86_400_000
_MARGIN = 128 * 1024
# Deletions stay as long as a late label of before them may come; and what was written over stays
# for the moment in which the table may need it again.
_CURRENT = {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": str(3_600_000),
    "delete.retention.ms": str(SEEN_BY_THE_TABLE_MS),
}


def recipes(settings: Settings, partitions: int = PARTITIONS) -> list[TopicSpec]:
    """Every configured topic; `partitions` of each but those that must be read in order."""
    names = settings.topics
    room = {"max.message.bytes": str(settings.kafka.max_record_bytes + _MARGIN)}
    kept = {**room, "cleanup.policy": "delete"}
    compacted = {**room, "cleanup.policy": "compact"}
    if names.current is not None:
        # The table must have read a label before compaction leaves it out.
        compacted |= {"min.compaction.lag.ms": str(SEEN_BY_THE_TABLE_MS)}
    configs = {names.labels: compacted, names.current: {**room, **_CURRENT}}
    alone = {names.stats, names.alerts}  # the monitor is one process and reads them in order
    return [
        TopicSpec(
            name,
            1 if name in alone else partitions,
            configs.get(name, kept),
        )
        for name in names.names
    ]


def by_hand(settings: Settings, name: str) -> str:
    """The command of Kafka's own tools that makes the topic of this name, as it should be."""
    recipe = next(spec for spec in recipes(settings) if spec.name == name)
    return " ".join(["kafka-topics.sh", *_words(settings.kafka.bootstrap, recipe)])


def wider_by_hand(settings: Settings, name: str, partitions: int) -> str:
    """The command of Kafka's own tools that adds partitions to a topic."""
    return (
        f"kafka-topics.sh --bootstrap-server {settings.kafka.bootstrap} --alter --topic {name} "
        f"--partitions {partitions}"
    )


def _words(bootstrap: str, recipe: TopicSpec) -> Iterator[str]:
    yield f"--bootstrap-server {bootstrap} --create --topic {recipe.name}"
    yield f"--partitions {recipe.partitions}"
    for key, value in recipe.config.items():
        yield f"--config {key}={value}"
