"""Who can reach the monitor at all."""

from ipaddress import ip_address

from streamer.config.settings import Settings
from streamer.errors import ConfigError


def refuse_open_door(settings: Settings) -> None:
    """Raises `ConfigError` where anybody could reach the page."""
    monitor = settings.monitor
    if monitor.token is None and not is_loopback(monitor.listen.host):
        raise ConfigError(
            f"monitor.listen: {monitor.listen.host} is reached from other machines, so a "
            "monitor.token is needed: set it to ${MONITOR_TOKEN}, or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Whether this address is reached from its own machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
