"""Reads every topic that outcomes go to, and keeps the accounts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import orjson
from aiokafka import AIOKafkaConsumer

from streamer.config import Settings
from streamer.dev.demo.accounts import PlayedOutcome
from streamer.records.dead_letter import DeadLetter, is_mark
from streamer.records.fetched import read_any_header_name
from streamer.records.judge_request import JudgeRequest
from streamer.services.runtime.kafka import connection
from streamer.stopping import stopped

POLL_MS = 100


class OutcomeListener(Protocol):
    """Hears of outcomes, and of deletions by ticket id and task."""

    def found(self, outcome: PlayedOutcome) -> None: ...
    def deleted(self, ticket_id: str, task: str) -> None: ...


class Observer:
    """Follows the outputs from the moment of `watching` on, and tells whoever listens."""

    def __init__(self, settings: Settings) -> None:
        self._topics = settings.topics
        self._source = ""
        self._listener: OutcomeListener | None = None
        read_any_header_name()
        self._consumer = AIOKafkaConsumer(
            settings.topics.labels,
            settings.topics.dead,
            **connection(settings.kafka).options(),
            group_id=None,
            auto_offset_reset="latest",
        )

    def tell(self, listener: OutcomeListener, source: str) -> None:
        """From now on, this one hears what becomes of the records of this source."""
        self._listener = listener
        self._source = source

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Read meanwhile; what made the reading fail is raised at the end."""
        await self._consumer.start()
        reader: asyncio.Task[None] | None = None
        try:
            # Before anything is played: else "latest" would be from the first fetch on.
            for partition in self._consumer.assignment():
                await self._consumer.position(partition)
            reader = asyncio.create_task(self._read())
            yield
        finally:
            if reader is not None:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
            await stopped(self._consumer.stop)
        if not reader.cancelled():
            reader.result()

    async def _read(self) -> None:
        while True:
            for records in (await self._consumer.getmany(timeout_ms=POLL_MS)).values():
                for record in records:
                    self._take(record)

    def _take(self, record: Any) -> None:
        if self._listener is None:
            return
        if record.topic == self._topics.dead:
            if outcome := self._dead(record):
                self._listener.found(outcome)
        elif record.value is None:
            ticket_id, _, task = record.key.decode().rpartition("/")
            self._listener.deleted(ticket_id, task)
        elif outcome := self._label(record):
            self._listener.found(outcome)

    def _label(self, record: Any) -> PlayedOutcome | None:
        # Not as a Label: half of the time would go into votes that nobody looks at here.
        label = orjson.loads(record.value)
        position = label["position"]
        if position["source"] != self._source:
            return None
        where = (position["partition"], position["offset"])
        return PlayedOutcome(
            where, label["task"], label["source"], label["label"], record.timestamp
        )

    def _dead(self, record: Any) -> PlayedOutcome | None:
        if is_mark(record.headers):
            return None
        letter = DeadLetter.from_headers(record.headers)
        if letter.topic == self._topics.tickets:
            where = (letter.partition, letter.offset)
            return PlayedOutcome(where, "", "dead letter", letter.reason, record.timestamp)
        # The judge's dead letters hold its request, which knows the ticket's place.
        request = JudgeRequest.from_json(record.value)
        if request.position.source != self._source:
            return None
        where = (request.position.partition, request.position.offset)
        return PlayedOutcome(where, request.task, "dead letter", letter.reason, record.timestamp)
