"""Free ports on loopback."""

import random
import socket

LOOPBACK = "127.0.0.1"
_THIS_MACHINE = (LOOPBACK, "localhost", "::1", "[::1]", "0.0.0.0")

# Below what Linux gives to outgoing connections (32768 and up): a client that keeps knocking at a
# port from that range while its server is away can end up connected to itself, and the server
# can't come back.
_RANGE = range(20_000, 32_000)


def free_port(preferred: int | None = None) -> int:
    """The preferred port when nothing listens there on loopback, else any free one; 0 is any."""
    if preferred and is_free(preferred):
        return preferred
    return next(port for port in iter(lambda: random.choice(_RANGE), None) if is_free(port))


def port_here(addresses: str) -> int | None:
    """The port of the first `host:port` on this machine in a list of them; None where none is."""
    for address in addresses.split(","):
        host, _, port = address.strip().rpartition(":")
        if host in _THIS_MACHINE and port.isdecimal():
            return int(port)
    return None


def is_served(port: int) -> bool:
    """Whether a server accepts connections at this port of loopback."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do it: a port that merely has old connections in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True
