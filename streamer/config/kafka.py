"""Where Kafka is, how to reach it safely, and what the topics are called."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from streamer.config.base import Block
from streamer.config.names import TopicName


def start(value: Any) -> Any:
    """Where to begin reading, from text; raises `ValueError` with what is allowed.

    A time without a zone is UTC, whatever the machine's own zone is.
    """
    if value in ("earliest", "latest"):
        return value
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError("use earliest, latest or a time such as 2026-01-31T08:00:00Z") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


Start = Annotated[Literal["earliest", "latest"] | datetime, BeforeValidator(start)]


class Security(Block):
    """Transport security of every Kafka client. Files are PEM; `${NAME}` reads the environment."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str | None = None
    password: str | None = Field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Security":
        if self.protocol.startswith("SASL") and not (
            self.mechanism and self.username and self.password
        ):
            raise ValueError(f"protocol {self.protocol} needs mechanism, username and password")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        if (self.ca_file or self.cert_file) and not self.protocol.endswith("SSL"):
            raise ValueError(f"protocol {self.protocol} uses no certificates: use SSL or SASL_SSL")
        return self

    def rooted(self, root: Path) -> "Security":
        """The same with files that are relative to `root`."""
        files = {"ca_file": self.ca_file, "cert_file": self.cert_file, "key_file": self.key_file}
        return self.model_copy(
            update={name: root / file for name, file in files.items() if file is not None}
        )


class KafkaSettings(Block):
    """Connection and group. Times are in seconds.

    `start` says where a new group begins: no default, because both silent answers are wrong
    (records skipped, or a whole topic judged again).
    """

    bootstrap: str = "127.0.0.1:9092"
    security: Security = Security()
    group: str = Field(default="streamer", min_length=1)
    start: Start
    member: str | None = None
    session_timeout: float = Field(default=12, ge=6, le=300)
    drain: float = Field(default=20, gt=0, le=300)
    acknowledge_within: float = Field(default=120, gt=0)
    compression: Literal["none", "lz4", "gzip"] = "none"
    max_record_bytes: int = Field(default=5 * 2**20, ge=2**16, le=2**30)


class Topics(Block):
    """Names of the topics. Only `labels` and `current` may be compacted.

    Of the label of each ticket and task, `current` keeps what stands: `streamer table` writes it.
    Without a name there is no such topic.
    """

    tickets: TopicName = "tickets"
    labels: TopicName = "tickets.labels"
    judge: TopicName = "tickets.judge"
    dead: TopicName = "tickets.dead"
    audit: TopicName = "tickets.audit"
    review: TopicName = "tickets.review"
    answers: TopicName = "tickets.answers"
    log: TopicName = "tickets.log"
    stats: TopicName = "tickets.stats"
    alerts: TopicName = "tickets.alerts"
    current: TopicName | None = None

    @model_validator(mode="after")
    def _distinct(self) -> "Topics":
        if len(set(self.names)) < len(self.names):
            raise ValueError("each topic needs a name of its own")
        return self

    @property
    def names(self) -> list[str]:
        """Every topic that is configured."""
        return [name for name in self.model_dump().values() if name is not None]
