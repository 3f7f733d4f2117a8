"""A folder of a new user's, with real servers when asked for, in which commands are run."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np
import orjson
import yaml
from aiokafka import AIOKafkaProducer

from streamer.config import load
from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from streamer.dev.triton import Triton
from streamer.judging.classifier.heads import Head
from streamer.learn.data.dataset import Dataset
from streamer.records.labelset import LabelSet
from streamer.records.log import Log, log_json
from streamer.records.log_file import LogWriter
from tests.interrupting import interruptible
from tests.learn import planted
from tests.learn.rollout.tried import tried
from tests.learn.served import Serving
from tests.stage import Service

LABELS = ("billing", "bug", "question")
MODELS = ("topic_word", "topic_char", "topic_net")
SAID = {
    "billing": ("Charged twice", "My card was charged two times for one invoice, refund me"),
    "bug": ("App crashes", "The app crashes with an error when I open the board"),
    "question": ("How do I export", "How can I export my data, and where is that explained"),
}
WITHIN_S = 180


class World:
    """Commands run in `folder`; ports and paths are shown as a reader would have them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._servers = ExitStack()
        self._shown = {str(folder): "~/helpdesk"}
        self._kafka: Kafka | None = None
        _write_tickets(folder)

    def __enter__(self) -> "World":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._servers.close()

    def run(self, command: str) -> tuple[int, str]:
        """Exit code and what a terminal would show, stdout and stderr together."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=WITHIN_S,
            check=False,
        )
        return done.returncode, self._as_shown(done.stdout.decode())

    def run_until(self, command: str, word: str) -> str:
        """Run a command that would go on, up to the line with this word, which is returned."""
        with subprocess.Popen(
            command.split(),
            cwd=self.folder,
            env=self._environment(),
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=interruptible,
        ) as process:
            assert process.stderr is not None
            said: list[str] = []
            for line in process.stderr:
                said.append(line)
                if word in line:
                    break
            process.send_signal(signal.SIGINT)
            process.stderr.read()
        assert word in "".join(said[-1:]), f"{command} never said {word}, but {said}"
        return self._as_shown(said[-1])

    def starts_kafka(self) -> None:
        self._kafka = self._servers.enter_context(Kafka(self.folder / ".kafka", port=free_port()))
        self._is_at("127.0.0.1:9092", self._kafka.bootstrap)

    def starts_triton_and_trains_the_judge(self) -> None:
        models = self.folder / "models_repo"
        ports = {name: free_port() for name in ("grpc_port", "http_port", "metrics_port")}
        triton = Triton(self.folder / ".triton", models, models=MODELS, **ports)
        head = models / "judge" / "topic" / "1"
        head.mkdir(parents=True)
        zeros = np.zeros((8, len(LABELS)), np.float32)
        Head(LabelSet(LABELS), "no encoder's", zeros, zeros[0], 1.0).save(head)
        self._servers.enter_context(triton)
        self._is_at("127.0.0.1:8001", triton.url)

    def starts_classify(self) -> None:
        """Every ticket is audited, so that a few of them make a log; one of them is broken."""
        self._edit("\ntasks:", "\naudit: {share: 1}\n\ntasks:")
        asyncio.run(self._break_one())
        settings = ["--config", str(self.folder / "streamer.yaml")]
        service = Service("classify", settings, self.folder / "classify.log")
        self._servers.callback(service.child.stop)
        asyncio.run(service.started())

    def has_a_log(self) -> None:
        """Of tickets whose truth is planted, as the services write it."""
        self._write_log("week.parquet", asyncio.run(Serving().log(_cases(600))))
        path = self.folder / "streamer.yaml"
        raw = yaml.safe_load(path.read_text())
        raw["tasks"]["topic"]["calibration"] = "topic.calibration.json"
        path.write_text(yaml.safe_dump(raw))

    def has_texts(self) -> None:
        """Of the log's tickets, which were decided one after the other."""
        cases = _cases(600)
        moments = {name: f"2026-01-31T08:{at // 60:02}:{at % 60:02}.000Z"
                   for at, name in enumerate(cases.ids)}  # fmt: skip
        logs = asyncio.run(Serving().log(cases))
        timed = [replace(one, at=moments[one.ticket_id]) for one in logs]
        self._write_log("week.parquet", timed)
        rows = [
            {"id": name, "subject": SAID[LABELS[code]][0], "body": f"{SAID[LABELS[code]][1]}, {at}"}
            for at, (name, code) in enumerate(zip(cases.ids, cases.gold, strict=True))
        ]
        lines = [orjson.dumps(row) + b"\n" for row in rows]
        (self.folder / "week.jsonl").write_bytes(b"".join(lines))

    def has_a_log_of_a_trial(self) -> None:
        """In which version 2 of the first worker is better, as it was planted."""
        cases = _cases(1500)
        better = planted.seen_again(np.random.default_rng(2), cases, 3.0)
        self._write_log("days.parquet", tried(cases, {MODELS[0]: better}))

    def _write_log(self, name: str, logs: Iterable[Log]) -> None:
        with LogWriter(self.folder / name) as file:
            for one in logs:
                file.add(log_json(one))

    async def _break_one(self) -> None:
        settings = load(self.folder / "streamer.yaml")
        async with AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap) as producer:
            await producer.send_and_wait(settings.topics.tickets, b'{"subject": "no id"')

    def _edit(self, old: str, new: str) -> None:
        path = self.folder / "streamer.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def _is_at(self, shown: str, really: str) -> None:
        self._edit(shown, really)
        self._shown[really] = shown

    def _as_shown(self, text: str) -> str:
        for really, shown in self._shown.items():
            text = text.replace(really, shown)
        return text

    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        known = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        return known | {"PATH": path, "COLUMNS": "90", "NO_COLOR": "1", "TZ": "UTC"}


def _cases(count: int) -> Dataset:
    cases = planted.well_behaved(np.random.default_rng(1), count, len(LABELS))
    versions = {**dict.fromkeys(MODELS, "1"), "judge": "1"}
    return replace(cases, task="topic", labels=LABELS, workers=MODELS, versions=versions)


def _write_tickets(folder: Path) -> None:
    tickets = [
        {"id": f"T-{number}", "subject": SAID[label][0], "body": f"{SAID[label][1]}."}
        for number, label in enumerate(LABELS, 1)
    ]
    (folder / "tickets.jsonl").write_bytes(b"".join(orjson.dumps(t) + b"\n" for t in tickets))
    rows = [
        f'"{SAID[label][0]}","{SAID[label][1]}, case {number}.",{label}'
        for number in range(30)
        for label in LABELS
    ]
    (folder / "examples.csv").write_text("\n".join(["subject,body,topic", *rows]) + "\n")
