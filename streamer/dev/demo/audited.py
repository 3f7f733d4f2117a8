"""Asks all workers and the judge about tickets, by the stream's own audits, and reads the log."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streamer.config import Settings
from streamer.dev.demo.beside import classify_beside
from streamer.dev.demo.scenario import Played
from streamer.errors import ModelError
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.data.decisions import LoggedDecision, logged_decisions
from streamer.learn.data.log_table import LogTable
from streamer.records.fetched import read_any_header_name
from streamer.records.log import BallotLog, Log, VerdictLog, log_from_json
from streamer.services.runtime.kafka import kafka_clients

_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Audited:
    """What the log says of some tickets, with their gold labels."""

    settings: Settings
    decisions: Sequence[LoggedDecision]
    gold: Mapping[str, Mapping[str, str]]

    def dataset(self, task: str) -> Dataset:
        """The tickets of one task."""
        task_settings = self.settings.tasks[task]
        workers = [worker.model for worker in task_settings.workers]
        judged = LogTable.of(self.decisions, task, task_settings.label_set, workers).dataset
        right = [self.gold[ticket].get(task) for ticket in judged.ids]
        index = task_settings.label_set.index
        label_ids = [UNKNOWN if label is None else index[label] for label in right]
        return replace(judged, gold=np.array(label_ids, np.int64))


async def audited(
    settings: Settings, config: Path, producer: AIOKafkaProducer, tickets: Sequence[Played]
) -> Audited:
    """Every ticket with a verdict of the judge; raises `ModelError` where one stays away."""
    source = f"audited-{time.time_ns()}"
    gold = {ticket.key.decode(): ticket.gold for ticket in tickets}
    wanted = sum(len(ticket.gold) for ticket in tickets)
    clients = kafka_clients(settings.kafka)
    read_any_header_name()
    consumer = AIOKafkaConsumer(**clients.connection.options(), group_id=None)
    async with (
        clients.started(consumer),
        classify_beside(settings, config, source, {"audit": {"share": 1.0}}),
    ):
        topic = settings.topics.log
        await _from_here(consumer, topic, await producer.partitions_for(topic))
        for ticket in tickets:
            await producer.send(source, ticket.value, key=ticket.key)
        await producer.flush()
        logs = [log async for log in _logs(consumer, source, wanted)]
    return Audited(
        settings,
        [decision for decision in logged_decisions(logs) if decision.ballot is not None],
        gold,
    )


async def _from_here(consumer: AIOKafkaConsumer, topic: str, numbers: Iterable[int]) -> None:
    partitions = [TopicPartition(topic, number) for number in numbers]
    consumer.assign(partitions)
    await consumer.seek_to_end(*partitions)
    for partition in partitions:
        await consumer.position(partition)


async def _logs(consumer: AIOKafkaConsumer, source: str, wanted: int) -> AsyncIterator[Log]:
    """The log of tickets of this source, until that many have a ballot and a verdict."""
    ballots: set[str] = set()
    verdicts: set[str] = set()
    heard = time.monotonic()
    while len(ballots & verdicts) < wanted:
        batches = await consumer.getmany(timeout_ms=500)
        for records in batches.values():
            for record in records:
                log = log_from_json(record.value)
                if isinstance(log, BallotLog) and log.position.source == source:
                    ballots.add(log.decision_id)
                elif isinstance(log, VerdictLog):
                    verdicts.add(log.decision_id)
                yield log
        if batches:
            heard = time.monotonic()
        elif time.monotonic() - heard > _PATIENCE_S:
            done = len(ballots & verdicts)
            raise ModelError(f"the judge gave {done} of {wanted} verdicts: look at its log")
