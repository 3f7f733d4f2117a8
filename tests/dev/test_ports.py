import socket

import pytest

from streamer.dev.ports import LOOPBACK, free_port, port_here


def test_prefers_the_preferred_port_while_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port
    with socket.create_server((LOOPBACK, port)):
        assert free_port(port) != port
    with socket.create_server(("0.0.0.0", port)):
        assert free_port(port) != port


@pytest.mark.parametrize(
    ("addresses", "port"),
    [
        ("127.0.0.1:9092", 9092),
        ("localhost:19092", 19092),
        ("kafka.internal:9092,localhost:9093", 9093),
        ("kafka.internal:9092", None),
        ("10.0.0.1:9092, 10.0.0.2:9092", None),
        ("[::1]:9092", 9092),
    ],
)
def test_the_port_on_this_machine_is_found(addresses: str, port: int | None) -> None:
    assert port_here(addresses) == port
