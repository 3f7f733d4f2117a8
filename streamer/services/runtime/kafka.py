"""How every client connects to the configured Kafka."""

from streamer.config.kafka import KafkaSettings
from streamer.stream.clients import Clients
from streamer.stream.connection import Connection

MARGIN = 64 * 1024


def kafka_clients(kafka: KafkaSettings) -> Clients:
    """Clients of the configured Kafka; only here are they made, so that all connect alike."""
    return Clients(connection(kafka))


def connection(kafka: KafkaSettings) -> Connection:
    """The configured Kafka, as every client connects to it."""
    security = kafka.security
    return Connection(
        bootstrap=kafka.bootstrap,
        protocol=security.protocol,
        mechanism=security.mechanism,
        username=security.username,
        password=security.password,
        ca_file=security.ca_file,
        cert_file=security.cert_file,
        key_file=security.key_file,
    )
