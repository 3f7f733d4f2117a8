"""An embedded Kafka: one KRaft node, broker and controller in one process, on loopback."""

import base64
import re
import socket
import struct
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from streamer.dev.child import Child, wait_until_ready
from streamer.dev.jars import java, kafka_jars
from streamer.dev.ports import LOOPBACK, free_port
from streamer.errors import BrokerError, ConfigError

_START_S = 120.0


class Kafka:
    """One broker whose data, settings and log lie in the folder `state`.

    `start` after `stop` continues with the same data on the same port. Without `port` it takes
    9092, or another one where that is taken. `properties` add to or replace lines of
    server.properties.
    """

    def __init__(
        self,
        state: Path,
        *,
        cache: Path | None = None,
        port: int | None = None,
        heap_mb: int = 512,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port(9092) if port is None else port
        self._state = state.absolute()
        self._cache = cache
        self._heap_mb = heap_mb
        self._properties = dict(properties or {})
        self._child: Child | None = None

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def log(self) -> Path:
        return self._state / "kafka.log"

    def start(self) -> None:
        """Start the broker and wait until it answers.

        Raises ConfigError without Java or Maven, BrokerError with the log's end where it fails.
        """
        if self.running:
            return
        command = self._command()
        settings = self._write_settings()
        if not self._meta.exists():
            _format_storage(command, settings)
        self._child = Child([*command, "kafka.Kafka", str(settings)], self.log)
        self._child.start()
        if not wait_until_ready(self._child, self._answers, _START_S):
            tail = self._child.log_tail()
            self.stop()
            raise BrokerError(f"the embedded Kafka didn't start; its log ({self.log}):\n{tail}")

    def stop(self) -> None:
        """Stop the broker and keep its data."""
        if self._child is not None:
            self._child.stop(grace_s=20.0)

    def __enter__(self) -> "Kafka":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _meta(self) -> Path:
        return self._state / "data" / "meta.properties"

    def _answers(self) -> bool:
        """Whether this very broker serves, not another one that took the port first."""
        (cluster,) = re.findall(rb"^cluster\.id=(.+)$", self._meta.read_bytes(), re.MULTILINE)
        return cluster in _metadata(self.port)

    def _command(self) -> list[str]:
        return [
            java(),
            f"-Xmx{self._heap_mb}m",
            # On two cores the optimising compiler and a parallel collector took up to seven times
            # the processor time of the work itself, for as long as a demo or a test lasts.
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Djava.net.preferIPv4Stack=true",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
            "-cp",
            f"{kafka_jars(self._cache)}/*",
        ]

    def _write_settings(self) -> Path:
        controller = free_port()
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self._state / "data"),
            "auto.create.topics.enable": "false",
            "message.max.bytes": str(10 << 20),
            "replica.fetch.max.bytes": str(10 << 20),
            "group.initial.rebalance.delay.ms": "0",
            # One node holds every copy; few partitions of the inner topics make it start fast.
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            **self._properties,
        }
        self._state.mkdir(parents=True, exist_ok=True)
        path = self._state / "server.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        return path


def _format_storage(command: list[str], settings: Path) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "--config", str(settings)]
    # As one word: an id that begins with a dash would be read as an option.
    result = subprocess.run(
        [*command, *tool, f"--cluster-id={cluster}"], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        output = (result.stdout + result.stderr).strip()[-1500:]
        raise ConfigError(
            f"Kafka's storage tool refused {settings}; correct the properties\n{output}"
        )


def _metadata(port: int) -> bytes:
    """The cluster's metadata as it lies on the wire, nothing where nobody answers.

    Asked by hand, because callers may or may not run an event loop. A broker that accepts
    connections may still be fenced; it lists itself when it really serves.
    """
    api_key, version, correlation, topics = 3, 2, 0, 0
    request = struct.pack(">hhihi", api_key, version, correlation, -1, topics)
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            size = connection.recv(4, socket.MSG_WAITALL)
            answer = connection.recv(int.from_bytes(size), socket.MSG_WAITALL)
    except OSError:
        return b""
    brokers = int.from_bytes(answer[4:8])
    return answer if brokers else b""
