from typing import Any

import pytest
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import (
    KafkaConnectionError,
    TopicAuthorizationFailedError,
    UnsupportedVersionError,
)

from streamer.errors import BrokerError, ConfigError
from streamer.stream import clients as module
from streamer.stream.clients import (
    BATCH_BYTES,
    MARGIN,
    METADATA_AGE_MS,
    POLL_WITHIN_MS,
    REJOIN_MARGIN_MS,
    REPLY_WITHIN_MS,
    Clients,
)
from streamer.stream.connection import Connection

CLIENTS = Clients(Connection("kafka:9092"))


class Client:
    """Starts, stops, and knows two topics."""

    def __init__(self, failure: Exception | None = None, listing: Exception | None = None) -> None:
        self.running = False
        self.ended = 0
        self._failure, self._listing = failure, listing

    async def start(self) -> None:
        if self._failure is not None:
            raise self._failure
        self.running = True

    async def stop(self) -> None:
        self.running = False
        self.ended += 1

    close = stop

    async def list_topics(self) -> list[str]:
        if self._listing is not None:
            raise self._listing
        return ["tickets", "labels"]


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Client:
    client = Client()
    monkeypatch.setattr(module, "AIOKafkaAdminClient", lambda **_: client)
    return client


async def test_a_client_runs_inside_and_is_stopped_whatever_happens() -> None:
    client = Client()

    async def fails() -> None:
        async with CLIENTS.started(client) as given:
            assert given is client
            assert client.running
            raise KeyError

    with pytest.raises(KeyError):
        await fails()
    assert (client.running, client.ended) == (False, 1)


async def test_without_kafka_the_address_and_the_settings_are_named() -> None:
    client = Client(KafkaConnectionError())
    with pytest.raises(ConfigError, match="no Kafka answers at kafka:9092 by PLAINTEXT: start it"):
        async with CLIENTS.started(client):
            raise AssertionError("never entered")
    assert client.ended == 1


async def test_an_admin_client_is_closed_at_the_end(admin: Client) -> None:
    async with CLIENTS.admin() as given:
        assert given is admin
        assert admin.running
    assert (admin.running, admin.ended) == (False, 1)


async def test_topics_that_are_missing_are_named_and_those_there_are_not(admin: Client) -> None:
    await CLIENTS.ensure_topics(["labels", "tickets"])
    with pytest.raises(ConfigError, match="kafka:9092 has no topic dead, judge: create it"):
        await CLIENTS.ensure_topics(["judge", "tickets", "dead"])
    assert (admin.running, admin.ended) == (False, 2)


async def test_a_kafka_that_lists_no_topics_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(listing=TopicAuthorizationFailedError())
    monkeypatch.setattr(module, "AIOKafkaAdminClient", lambda **_: client)
    with pytest.raises(BrokerError, match=r"kafka:9092 doesn't list its topics .* rights"):
        await CLIENTS.ensure_topics(["tickets"])


def options(**given: Any) -> dict[str, Any]:
    return given


def test_a_consumer_commits_nothing_by_itself_and_reads_what_is_committed_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AIOKafkaConsumer", options)
    made: Any = CLIENTS.consumer("mine", member="pod-1", session_timeout=12, drain=20)
    assert (made["group_id"], made["group_instance_id"]) == ("mine", "pod-1")
    assert made["enable_auto_commit"] is False
    assert (made["auto_offset_reset"], made["isolation_level"]) == ("none", "read_committed")
    assert made["session_timeout_ms"] == 12_000
    # Three may be lost before the group takes the member for gone.
    assert made["heartbeat_interval_ms"] == 3_000
    # What is in flight may drain before the group goes on without us.
    assert made["rebalance_timeout_ms"] == 20_000 + REJOIN_MARGIN_MS
    assert made["bootstrap_servers"] == "kafka:9092"
    # No poll may be missed by the client's own clock: the engine has its own, and looks sooner.
    assert made["max_poll_interval_ms"] == POLL_WITHIN_MS
    assert made["request_timeout_ms"] == REPLY_WITHIN_MS
    assert made["metadata_max_age_ms"] == METADATA_AGE_MS
    assert made["fetch_max_bytes"] == 16 * 2**20
    assert made["max_partition_fetch_bytes"] == 2**20
    assert made["partition_assignment_strategy"] == (RoundRobinPartitionAssignor,)


@pytest.mark.parametrize(("limit", "batch"), [(1000, 1000), (10**7, BATCH_BYTES)])
def test_a_producer_takes_what_came_in_with_so_many_bytes_and_writes_it_once(
    monkeypatch: pytest.MonkeyPatch, limit: int, batch: int
) -> None:
    monkeypatch.setattr(module, "Producer", options)
    made: Any = CLIENTS.producer(limit=limit, compression="lz4")
    assert (made["max_batch_size"], made["max_request_size"]) == (batch, limit + MARGIN)
    assert (made["acks"], made["enable_idempotence"]) == ("all", True)
    assert (made["linger_ms"], made["compression_type"]) == (0, "lz4")
    assert made["bootstrap_servers"] == "kafka:9092"
    assert made["request_timeout_ms"] == REPLY_WITHIN_MS
    assert made["metadata_max_age_ms"] == METADATA_AGE_MS


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (UnsupportedVersionError("one line\nand another"), r"\(.*one line\): correct kafka.boot"),
        (ValueError("no\nport"), r"\(no\): correct kafka.bootstrap"),
        (OSError(), r"by PLAINTEXT \(OSError\): correct kafka.bootstrap"),
    ],
)
async def test_what_answers_and_is_no_kafka_is_said_in_one_line(
    failure: Exception, said: str
) -> None:
    client = Client(failure)
    with pytest.raises(ConfigError, match=said) as raised:
        async with CLIENTS.started(client):
            raise AssertionError("never entered")
    assert "what answers at kafka:9092 is no Kafka" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert client.ended == 1


async def test_an_admin_client_that_does_not_start_is_closed_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, given = Client(KafkaConnectionError()), []
    monkeypatch.setattr(module, "AIOKafkaAdminClient", lambda **told: given.append(told) or client)
    with pytest.raises(ConfigError, match="no Kafka answers"):
        async with CLIENTS.admin():
            raise AssertionError("never entered")
    assert client.ended == 1
    (told,) = given
    assert told["bootstrap_servers"] == "kafka:9092"
    assert told["request_timeout_ms"] == REPLY_WITHIN_MS


async def test_a_missing_topic_is_guessed_at_among_those_that_nobody_asked_for(
    admin: Client,
) -> None:
    with pytest.raises(ConfigError, match=r"has no topic ticket.*tickets.* `streamer topics"):
        await CLIENTS.ensure_topics(["ticket"])
    with pytest.raises(ConfigError, match="has no topic ticket: create it"):
        await CLIENTS.ensure_topics(["ticket", "tickets"])


async def test_an_output_that_is_missing_is_not_mistaken_for_the_input(admin: Client) -> None:
    with pytest.raises(ConfigError, match=r"has no topic tickets.dead, tickets.labels: create it"):
        await CLIENTS.ensure_topics(["tickets.dead", "tickets.labels"])
