"""Both topics of the table have a key in the same partition."""

from streamer.errors import ConfigError
from streamer.stream.reading import Reader


def refuse_other_counts(reader: Reader, labels: str, current: str) -> None:
    """Raises `ConfigError` where a key's partition would not be the same in both topics."""
    counts = {name: len(reader.partitions(name)) for name in (labels, current)}
    if len(set(counts.values())) > 1:
        raise ConfigError(
            f"{labels} has {counts[labels]} partitions and {current} {counts[current]}: give both "
            "the same number, then run `streamer table --rebuild`"
        )
