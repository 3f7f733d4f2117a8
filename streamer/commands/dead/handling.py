"""Puts dead letters back where they came from, or marks them as done with."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streamer.commands.dead.selection import Selection
from streamer.commands.file_tickets import FileRecord
from streamer.config.settings import Settings
from streamer.errors import BrokerError, ConfigError, TicketError
from streamer.records.dead_letter import PREFIX, Handled, What, original
from streamer.services.inspect.letters import Letter, LetterPosition, collect
from streamer.services.intake.ticket_reader import TicketReader
from streamer.services.runtime.kafka import kafka_clients
from streamer.stream.handler import Record
from streamer.stream.reading import Part, Reader
from streamer.terminal import clean, note, tell

if TYPE_CHECKING:
    from streamer.stream.clients import Clients

TRIES = 3
"""How often a record may be replayed: what died so often dies again."""

AT_ONCE = 200


def replay(
    settings: Settings, selection: Selection, again: bool, dry_run: bool, mended: Path | None = None
) -> int:
    """Send the selected letters to where they came from; returns 1 where some were refused.

    Each is marked as replayed once Kafka has it. A crash in between sends it once more next time.
    What is in the file `mended` takes the place of the value of the one letter that is selected.
    Raises `ConfigError` where it can't be read, or would die again.
    """
    value = None if mended is None else _contents(mended)
    return asyncio.run(_handle(settings, selection, "replayed", again, dry_run, value))


def drop(settings: Settings, selection: Selection, dry_run: bool) -> int:
    """Mark the selected letters as dropped; Kafka keeps them until the topic's retention ends."""
    return asyncio.run(_handle(settings, selection, "dropped", False, dry_run))


def refusal(
    letter: Letter, inputs: Collection[str], again: bool, mended: bool = False
) -> str | None:
    """Why a letter is not replayed, as it is or with another value; None where it can be."""
    died = letter.letter
    if letter.handled is not None and not again:
        return f"was {letter.handled} before: --again sends it once more"
    if died.truncated and not mended:
        return "too large to be kept whole: send it again from its source"
    if died.topic not in inputs:
        return f"came from {clean(died.topic)}, which is no topic that streamer reads"
    if died.attempt >= TRIES and not mended:
        return f"died after {died.attempt} replays: mend what it dies of, or drop it"
    if letter.key is None and letter.size == 0 and not mended:
        return "has neither key nor value: there is nothing to replay"
    return None


async def _handle(
    settings: Settings,
    selection: Selection,
    what: What,
    again: bool,
    dry_run: bool,
    value: bytes | None = None,
) -> int:
    topics, clients = settings.topics, kafka_clients(settings.kafka)
    inputs = (topics.tickets, topics.judge, topics.audit, topics.answers)
    read = [topics.dead, *inputs] if what == "replayed" else [topics.dead]
    async with Reader.of(clients, read) as reader:
        letters = selection.of((await collect(reader, topics.dead)).found)
        # What is done with is passed over, unless it was named: then it is said.
        chosen = [
            letter for letter in letters if selection.positions or again or letter.handled is None
        ]
        refused = {}
        if what == "replayed":
            whys = {
                letter.place: refusal(letter, inputs, again, value is not None) for letter in chosen
            }
            refused = {place: why for place, why in whys.items() if why}
        for place, why in refused.items():
            note(f"{place}: {why}")
        taken = [letter for letter in chosen if letter.place not in refused]
        if value is not None:
            await _check(settings, reader, taken, value)
        for letter in taken:
            tell(f"{letter.place}  {clean(letter.letter.reason)}  {clean(letter.origin)}")
        if not dry_run and taken:
            await _carry_out(clients, settings, reader, taken, what, value)
    tell(f"{'would have ' if dry_run else ''}{what} {len(taken)}, refused {len(refused)}")
    return 1 if refused else 0


def _contents(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"can't read {file}: {error.strerror}; correct --with") from None


async def _check(settings: Settings, reader: Reader, taken: Sequence[Letter], value: bytes) -> None:
    """Raises `ConfigError` where classify would refuse the value too."""
    for letter in taken:
        partition = TopicPartition(settings.topics.dead, letter.partition)
        record = await reader.record(partition, letter.offset)
        if record is None or letter.letter.topic != settings.topics.tickets:
            continue
        headers = original(record.headers)
        try:
            TicketReader.of(settings.input).ticket(FileRecord(value, record.key, headers=headers))
        except TicketError as error:
            raise ConfigError(f"it would die again of {error}; mend the file of --with") from None


async def _carry_out(
    clients: "Clients",
    settings: Settings,
    reader: Reader,
    taken: Sequence[Letter],
    what: What,
    value: bytes | None,
) -> None:
    kafka, topic = settings.kafka, settings.topics.dead
    compression = None if kafka.compression == "none" else kafka.compression
    producer = clients.producer(limit=kafka.max_record_bytes, compression=compression)
    async with clients.started(producer):
        try:
            if what == "replayed":
                letters = {(letter.partition, letter.offset): letter for letter in taken}
                async for records in _records(reader, topic, letters):
                    await _send_back(producer, reader, records, letters, value)
                    done = [letters[record.partition, record.offset] for record in records]
                    await _mark(producer, topic, done, what)
            else:
                await _mark(producer, topic, taken, what)
        except KafkaError as error:
            raise BrokerError(
                f"Kafka refused ({error!r}): look at the brokers, and run it again; what is "
                "marked by then is not handled twice"
            ) from error


async def _records(
    reader: Reader, topic: str, letters: Mapping[LetterPosition, Letter]
) -> AsyncIterator[Sequence[Record]]:
    """The letters again, now with their values, a few at a time."""
    parts = []
    for partition, positions in groupby(sorted(letters), key=lambda position: position[0]):
        offsets = [offset for _, offset in positions]
        parts.append(Part(TopicPartition(topic, partition), offsets[0], offsets[-1] + 1))
    async for batch in reader.batches(parts):
        wanted = [record for record in batch if (record.partition, record.offset) in letters]
        for start in range(0, len(wanted), AT_ONCE):
            yield wanted[start : start + AT_ONCE]


async def _send_back(
    producer: Any,
    reader: Reader,
    records: Iterable[Record],
    letters: Mapping[LetterPosition, Letter],
    value: bytes | None,
) -> None:
    sent = []
    for record in records:
        died = letters[record.partition, record.offset].letter
        # To the partition that it came from, whichever way its producer had chosen it.
        there = 0 <= died.partition < len(reader.partitions(died.topic))
        attempt = (PREFIX + "attempt", str(died.attempt + 1).encode())
        sent.append(
            await producer.send(
                died.topic,
                record.value if value is None else value,
                key=record.key,
                partition=died.partition if there else None,
                headers=[*original(record.headers), attempt],
            )
        )
    await asyncio.gather(*sent)


async def _mark(producer: Any, topic: str, letters: Iterable[Letter], what: What) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sent = []
    for letter in letters:
        mark = Handled(what, letter.partition, letter.offset, letter.letter.reason, now)
        sent.append(
            await producer.send(
                topic,
                mark.to_json(),
                key=letter.key,
                partition=letter.partition,
                headers=mark.headers(),
            )
        )
    await asyncio.gather(*sent)
