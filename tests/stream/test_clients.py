"""What is said where no Kafka answers, or something else does."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from streamer.errors import BrokerError, ConfigError
from streamer.stream.clients import Clients
from streamer.stream.connection import Connection
from streamer.stream.topics import TopicSpec, create_topics


@asynccontextmanager
async def talker(answer: bytes):
    """A server that is no Kafka: it says this to whoever calls, and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def refusal(bootstrap: str) -> str:
    with pytest.raises(ConfigError) as refused:
        async with Clients(Connection(bootstrap)).admin():
            pass
    return str(refused.value)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\4\0\0\0\0"])
async def test_what_is_no_kafka_is_a_mistake_of_the_configuration(answer: bytes) -> None:
    async with talker(answer) as bootstrap:
        said = await refusal(bootstrap)
    assert bootstrap in said
    assert "correct kafka.bootstrap" in said
    assert "\n" not in said


@pytest.mark.parametrize("bootstrap", ["127.0.0.1:http", "", ":", "[::1", "a b:1"])
async def test_an_address_that_is_none_is_a_mistake_of_the_configuration(bootstrap: str) -> None:
    assert "correct kafka.bootstrap" in await refusal(bootstrap)


async def test_topics_can_not_be_made_where_nobody_answers() -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerError) as refused:
        await create_topics(nowhere, [TopicSpec("any")])
    assert str(refused.value) == (
        f"no Kafka answers at {nowhere}: start it, or correct kafka.bootstrap"
    )


async def test_of_a_client_that_is_left_at_once_the_reason_is_told(kafka: Kafka) -> None:
    clients = Clients(Connection(kafka.bootstrap))
    with pytest.raises(ConfigError, match="so"):
        async with clients.started(clients.follower()):
            raise ConfigError("so")
