"""Something that a person should look at, on the alerts topic."""

from dataclasses import dataclass
from typing import Literal

import orjson

from streamer.records.reading import made

AlarmKind = Literal[
    "coverage_drift",
    "agreement_drift",
    "label_shift",
    "fidelity_broken",
    "segment_shift",
    "segment_gone",
    "segment_candidate",
    "segment_fidelity",
    "worker_abstains",
    "judge_queue_old",
    "dead_letters",
    "service_silent",
    "summaries_lost",
]


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it is raised, and once more as it is cleared.

    `subject` is what exactly it is about, such as a worker; `value` was held against `limit`.
    `false_alarm_every_s` is the mean time between false alarms that its test keeps, in seconds;
    None where the alarm is no statistical test. `runbook` is the page that says what to do.
    Times are RFC 3339 in UTC.
    """

    kind: AlarmKind
    task: str | None
    subject: str | None
    state: Literal["raised", "cleared"]
    severity: Literal["critical", "warning"]
    since: str
    at: str
    value: float
    limit: float
    text: str
    runbook: str
    false_alarm_every_s: float | None = None

    @property
    def id(self) -> str:
        """What it is about: the same for raising and clearing, and the record's Kafka key."""
        return "/".join((self.kind, self.task or "", self.subject or ""))

    @property
    def key(self) -> bytes:
        return self.id.encode()

    def to_json(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def from_json(cls, value: bytes) -> "Alarm":
        """Raises `ValueError` or `TypeError` when the value is no alarm."""
        return made(cls, orjson.loads(value))
