"""Every host that the text of tickets goes to."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from streamer.backends.remote import ASKS, Remote
from streamer.config.settings import Settings
from streamer.errors import ModelError


def text_hosts(settings: Settings) -> list[str]:
    """Host and port of each: Kafka's and Triton's, the workers', and the judge's, if elsewhere.

    What brokers and servers pass on is theirs: of Kafka it is the brokers that are named to begin
    with, of an endpoint the address that is asked. What workers ask stands beside their models, and
    is known where `triton.models` has them.
    """
    return list(dict.fromkeys(_hosts(settings)))


def _hosts(settings: Settings) -> Iterator[str]:
    yield from (host.strip() for host in settings.kafka.bootstrap.split(","))
    yield settings.triton.url
    yield from (urlsplit(url).netloc for url in worker_urls(settings))
    yield from endpoint_hosts(settings)


def worker_urls(settings: Settings) -> Iterator[str]:
    """The endpoints that workers of kind llm ask, as far as their versions lie here."""
    repository = settings.path(settings.triton.models)
    workers = [worker for task in settings.tasks.values() for worker in task.workers]
    for worker in workers:
        for asks in sorted((repository / worker.model).glob(f"*/{ASKS}")):
            # One that is damaged asks nothing: it is not served.
            with suppress(ModelError):
                yield Remote.read(asks.parent).url


def endpoint_hosts(settings: Settings) -> list[str]:
    """Those of the judge's endpoint alone; one for each task where the address names the task."""
    judge = settings.judge
    if judge.kind != "endpoint" or judge.endpoint.url is None:
        return []
    urls = (judge.endpoint.url.replace("{task}", task) for task in settings.tasks)
    return list(dict.fromkeys(urlsplit(url).netloc for url in urls))
