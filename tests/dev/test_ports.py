import socket

from streamer.dev.ports import LOOPBACK, free_port


def test_prefers_the_preferred_port_while_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port
    with socket.create_server((LOOPBACK, port)):
        assert free_port(port) != port
    with socket.create_server(("0.0.0.0", port)):
        assert free_port(port) != port
