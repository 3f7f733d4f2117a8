"""Makes a Parquet file of the log topic."""

import asyncio
from pathlib import Path

from streamer.config.settings import Settings
from streamer.records.log_file import LogWriter
from streamer.services.runtime.kafka import kafka_clients
from streamer.stream.offset_reset import Start
from streamer.stream.reading import Reader
from streamer.terminal import bars, note, tell, tell_json


def run(settings: Settings, file: Path, since: Start, as_json: bool = False) -> int:
    """Write what is in the log topic from `since` on to `file`; what comes meanwhile is left.

    Raises `ConfigError` where Kafka, the topic or the file's folder is not there, `BrokerError`
    where Kafka stops answering. Values that are no log records are counted and left out.
    """
    written, unreadable = export(settings, file, since)
    if as_json:
        tell_json({"file": str(file), "records": written, "unreadable": unreadable})
    else:
        tell(f"wrote {written} records to {file}")
    if unreadable:
        note(f"left out {unreadable} values that are no log records of this release")
    if not written:
        note("nothing was logged: raise audit.share or log.share, and wait")
    return 0


def export(settings: Settings, file: Path, since: Start) -> tuple[int, int]:
    """The same without a word; returns how many records were written, and left out."""
    return asyncio.run(_export(settings, file, since))


async def _export(settings: Settings, file: Path, since: Start) -> tuple[int, int]:
    topic = settings.topics.log
    written = unreadable = 0
    async with Reader.of(kafka_clients(settings.kafka), [topic]) as reader:
        parts = await reader.parts(reader.partitions(topic), since)
        with LogWriter(file) as log, bars() as shown:
            bar = shown.add_task(topic, total=sum(part.count for part in parts))
            async for records in reader.batches(parts):
                for record in records:
                    try:
                        log.add(record.value or b"")
                        written += 1
                    except (ValueError, TypeError, KeyError):
                        unreadable += 1
                shown.advance(bar, len(records))
    return written, unreadable
