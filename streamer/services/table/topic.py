"""Which topic the table writes."""

from streamer.config.kafka import Topics
from streamer.errors import ConfigError


def own_topic(topics: Topics) -> str:
    """The configured one; raises `ConfigError` where there is none."""
    if topics.current is None:
        raise ConfigError("the table needs a topic of its own: name it by topics.current")
    return topics.current
