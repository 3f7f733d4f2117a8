"""What a server and its children listen on."""

import psutil


def listeners(pid: int) -> set[tuple[str, int]]:
    """(address, port) of every listening socket; IPv4 written as such."""
    server = psutil.Process(pid)
    return {
        (socket.laddr.ip.removeprefix("::ffff:"), socket.laddr.port)
        for process in [server, *server.children(recursive=True)]
        for socket in process.net_connections("inet")
        if socket.status == psutil.CONN_LISTEN
    }
