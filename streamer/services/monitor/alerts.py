"""Alarms as records: told once when they begin and once when they end."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from aiokafka.errors import KafkaError

from streamer.monitoring.alarms.standing import Id, Standing
from streamer.records.alarm import Alarm
from streamer.records.times import milliseconds, rfc3339
from streamer.stream.reading import Reader

log = logging.getLogger(__name__)


class Alerts:
    """Writes to the alerts topic what changes. `read` first what was told before a restart.

    Under `runbooks` lies the page of each kind of alarm.
    """

    def __init__(self, topic: str, runbooks: str) -> None:
        self._topic = topic
        self._runbooks = runbooks
        self._told: dict[Id, Alarm] = {}

    @property
    def standing(self) -> dict[Id, int]:
        """The alarms that were told and not yet cleared, with their beginning in ms."""
        return {name: int(milliseconds(alarm.since) or 0) for name, alarm in self._told.items()}

    async def read(self, reader: Reader) -> None:
        """Find out what stands, from the topic itself. What is no alarm in it is left out."""
        parts = await reader.parts(reader.partitions(self._topic), "earliest")
        async for records in reader.batches(parts):
            for record in records:
                self._note(record.value)

    async def tell(self, standing: Mapping[Id, Standing], producer: Any, now_ms: int) -> None:
        """Publish what began, ended or grew worse since; what fails is told at the next call."""
        changes = [
            as_alarm(stands, "raised", now_ms, self._runbooks)
            for name, stands in standing.items()
            if name not in self._told or self._told[name].severity != stands.reading.severity
        ]
        changes += [
            replace(alarm, state="cleared", at=rfc3339(now_ms))
            for name, alarm in self._told.items()
            if name not in standing
        ]
        for alarm in changes:
            log.warning("alarm %s: %s: %s", alarm.state, alarm.id, alarm.text)
            try:
                await producer.send_and_wait(self._topic, alarm.to_json(), key=alarm.key)
            except KafkaError as error:
                log.warning("this alarm could not be published, trying again: %r", error)
            else:
                self._apply(alarm)

    def _note(self, value: bytes | None) -> None:
        try:
            alarm = Alarm.from_json(value or b"")
            if milliseconds(alarm.since) is not None:
                self._apply(alarm)
        except (ValueError, TypeError):
            log.warning("a record of %s is no alarm, and left out", self._topic)

    def _apply(self, alarm: Alarm) -> None:
        name = (alarm.kind, alarm.task, alarm.subject)
        if alarm.state == "raised":
            self._told[name] = alarm
        else:
            self._told.pop(name, None)


def as_alarm(
    standing: Standing, state: Literal["raised", "cleared"], now_ms: int, runbooks: str
) -> Alarm:
    """The record of an alarm, whose page lies under the address or path `runbooks`."""
    reading = standing.reading
    return Alarm(
        kind=reading.kind,
        task=reading.task,
        subject=reading.subject,
        state=state,
        severity=reading.severity,
        since=rfc3339(standing.since_ms),
        at=rfc3339(now_ms),
        value=round(reading.value, 6),
        limit=round(reading.limit, 6),
        text=reading.text,
        runbook=f"{runbooks.rstrip('/')}/{reading.kind}.md",
        false_alarm_every_s=reading.false_alarm_every_s,
    )
