"""Every host that the text of tickets goes to."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from streamer.config.settings import Settings


def text_hosts(settings: Settings) -> list[str]:
    """Host and port of each, Kafka's and Triton's first, then the judge's where it is elsewhere.

    What brokers and servers pass on is theirs: of Kafka it is the brokers that are named to begin
    with, of an endpoint the address that is asked.
    """
    return list(dict.fromkeys(_hosts(settings)))


def _hosts(settings: Settings) -> Iterator[str]:
    yield from (host.strip() for host in settings.kafka.bootstrap.split(","))
    yield settings.triton.url
    yield from endpoint_hosts(settings)


def endpoint_hosts(settings: Settings) -> list[str]:
    """Those of the judge's endpoint alone; one for each task where the address names the task."""
    judge = settings.judge
    if judge.kind != "endpoint" or judge.endpoint.url is None:
        return []
    urls = (judge.endpoint.url.replace("{task}", task) for task in settings.tasks)
    return list(dict.fromkeys(urlsplit(url).netloc for url in urls))
