"""Plays one wave of tickets and waits for their labels."""

from collections.abc import Sequence

from streamer.config import Settings
from streamer.dev.demo.accounts import Accounts
from streamer.dev.demo.observer import Observer
from streamer.dev.demo.playing import play, until_settled
from streamer.dev.demo.scenario import Played
from streamer.errors import ModelError
from streamer.services.runtime.kafka import kafka_clients

_PATIENCE_S = 120.0
_RATE = 100.0


async def play_wave(settings: Settings, wave: Sequence[Played]) -> None:
    """Raises `ModelError` where a ticket gets no label."""
    observer, clients = Observer(settings), kafka_clients(settings.kafka)
    producer = clients.producer(limit=settings.kafka.max_record_bytes, compression=None)
    async with clients.started(producer), observer.watching():
        accounts = Accounts(settings.tasks)
        observer.tell(accounts, settings.source)
        await play(producer, settings.topics.tickets, wave, accounts, _RATE)
        await until_settled(accounts, _PATIENCE_S)
    if problems := accounts.unaccounted():
        raise ModelError(f"{len(problems)} tickets have no label, such as: {problems[0]}")
