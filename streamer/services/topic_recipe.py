"""The topics that a configuration needs, as Kafka should have them."""

from collections.abc import Iterator

from streamer.config.settings import Settings
from streamer.stream.topics import TopicSpec

PARTITIONS = 6
_MARGIN = 128 * 1024


def recipes(settings: Settings, partitions: int = PARTITIONS) -> list[TopicSpec]:
    """Every configured topic; `partitions` of each but those that must be read in order."""
    names = settings.topics
    room = {"max.message.bytes": str(settings.kafka.max_record_bytes + _MARGIN)}
    kept = {**room, "cleanup.policy": "delete"}
    compacted = {**room, "cleanup.policy": "compact"}
    alone = {names.stats, names.alerts}  # the monitor is one process and reads them in order
    return [
        TopicSpec(
            name,
            1 if name in alone else partitions,
            compacted if name == names.labels else kept,
        )
        for name in names.model_dump().values()
    ]


def by_hand(settings: Settings, name: str) -> str:
    """The command of Kafka's own tools that makes the topic of this name, as it should be."""
    recipe = next(one for one in recipes(settings) if one.name == name)
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
