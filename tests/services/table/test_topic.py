"""A table needs a topic of its own."""

import pytest

from streamer.config.kafka import Topics
from streamer.errors import ConfigError
from streamer.services.table.topic import own_topic


def test_without_a_topic_of_its_own_it_says_what_to_name() -> None:
    assert own_topic(Topics(current="tickets.current")) == "tickets.current"
    with pytest.raises(ConfigError, match=r"topics\.current"):
        own_topic(Topics())
