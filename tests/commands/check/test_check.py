import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from streamer.cli import main
from streamer.dev.kafka import Kafka
from streamer.dev.ports import free_port
from streamer.dev.triton import Triton
from streamer.judging.classifier.heads import Head
from streamer.records.labelset import LabelSet
from streamer.stream.topics import TopicSpec, create_topics
from tests.conftest import ECHO_LABELS, unique_topic

CONFIG = """
kafka: {{bootstrap: "{kafka}", start: earliest, max_record_bytes: 1000000}}
topics:
  tickets: {stem}
  labels: {stem}.labels
  judge: {stem}.judge
  dead: {stem}.dead
  audit: {stem}.audit
  review: {stem}.review
  answers: {stem}.answers
  log: {stem}.log
  stats: {stem}.stats
  alerts: {stem}.alerts
triton: {{url: "{triton}"}}
judge: {{models: heads}}
tasks:
  topic:
    labels: [account, billing, shipping, technical]
    workers: [echo_a, echo_b]
    when: {{field: /source, equals: web}}
"""


OTHERS = ("labels", "judge", "dead", "audit", "review", "answers", "log", "stats", "alerts")


@dataclass(frozen=True)
class Place:
    """A configuration whose topics, models and head are all right, until a test spoils one."""

    config: Path
    stem: str
    bootstrap: str

    def topics(self, partitions: int = 1, **changed: dict[str, str]) -> None:
        names = {"tickets": "", **{name: f".{name}" for name in OTHERS}}
        room = {"max.message.bytes": "1100000"}
        specs = [
            TopicSpec(self.stem + end, partitions, {**room, **changed.get(name, {})})
            for name, end in names.items()
        ]
        asyncio.run(create_topics(self.bootstrap, specs))

    def head(self, labels: tuple[str, ...]) -> None:
        folder = self.config.parent / "heads" / "topic" / "1"
        folder.mkdir(parents=True)
        size = len(labels)
        weights, bias = np.zeros((3, size), np.float32), np.zeros(size, np.float32)
        Head(LabelSet(labels), "an encoder", weights, bias, 1.0).save(folder)

    def check(self, *more: str) -> int:
        return main(["check", "--config", str(self.config), *more])


@pytest.fixture
def place(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> Place:
    stem = unique_topic("check")
    path = tmp_path / "streamer.yaml"
    path.write_text(CONFIG.format(kafka=kafka.bootstrap, triton=triton_echo.url, stem=stem))
    return Place(path, stem, kafka.bootstrap)


def test_says_what_is_configured(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.check() == 0
    said = capsys.readouterr().out
    assert said.startswith("the configuration is good\n")
    assert "topic: 4 labels, majority of echo_a, echo_b, for tickets whose /source is web" in said


def test_says_which_worker_decides_alone_and_from_when(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = "    rule: {kind: chow, alpha: 0.1, worker: echo_b}\n"
    place.config.write_text(place.config.read_text() + rule)
    assert place.check() == 0
    assert "chow of echo_a, echo_b with alpha 0.1 of echo_b alone" in capsys.readouterr().out


def test_everything_right(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.topics(labels={"cleanup.policy": "compact"})
    place.head(ECHO_LABELS)
    assert place.check("--connect") == 0
    assert "Kafka, Triton and the judge too" in capsys.readouterr().out


def problems(place: Place, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    assert place.check("--connect", *more) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    return answer.err.splitlines()


def test_a_wrong_kafka_port_is_one_line(place: Place, capsys) -> None:
    place.head(ECHO_LABELS)
    nowhere = f"127.0.0.1:{free_port()}"
    (line,) = problems(place, capsys, "--kafka", nowhere)
    assert f"no Kafka answers at {nowhere}" in line


def test_a_wrong_triton_port_is_one_line(place: Place, capsys, monkeypatch) -> None:
    monkeypatch.setattr("streamer.commands.check.check.PATIENCE_S", 0.1)
    place.topics()
    place.head(ECHO_LABELS)
    nowhere = f"127.0.0.1:{free_port()}"
    (line,) = problems(place, capsys, "--triton", nowhere)
    assert f"no Triton answers at {nowhere}" in line


def test_a_missing_topic_is_one_line(place: Place, capsys) -> None:
    place.topics()
    place.head(ECHO_LABELS)
    (line,) = problems(place, capsys, "--set", "topics.judge=mistyped")
    assert "no topic 'mistyped'" in line


@pytest.mark.parametrize("name", ["tickets", *OTHERS[1:]])
def test_a_compacted_topic_is_one_line(place: Place, capsys, name: str) -> None:
    place.topics(**{name: {"cleanup.policy": "compact,delete"}})
    place.head(ECHO_LABELS)
    (line,) = problems(place, capsys)
    assert "cleanup.policy is 'compact,delete'" in line


@pytest.mark.parametrize("name", OTHERS)
def test_a_topic_for_smaller_records_is_one_line(place: Place, capsys, name: str) -> None:
    place.topics(**{name: {"max.message.bytes": "1000000"}})
    place.head(ECHO_LABELS)
    (line,) = problems(place, capsys)
    assert "max.message.bytes is 1000000" in line


def test_a_wrong_label_order_is_a_line_for_each_model(place: Place, capsys) -> None:
    place.topics()
    place.head(("billing", "account", "shipping", "technical"))
    text = place.config.read_text().replace("account, billing", "billing, account")
    place.config.write_text(text)
    lines = problems(place, capsys)
    assert [("echo_a" in line, "first difference at position 0" in line) for line in lines] == [
        (True, True),
        (False, True),
    ]


def test_an_unknown_model_is_one_line(place: Place, capsys) -> None:
    place.topics()
    place.head(ECHO_LABELS)
    place.config.write_text(place.config.read_text().replace("echo_b", "nobody"))
    (line,) = problems(place, capsys)
    assert "nobody" in line


def test_a_head_for_other_labels_is_one_line(place: Place, capsys) -> None:
    place.topics()
    place.head(("billing", "account", "shipping", "technical"))
    (line,) = problems(place, capsys)
    assert "no head for the labels of task topic" in line


def test_a_broken_head_is_one_line(place: Place, capsys) -> None:
    place.topics()
    place.head(ECHO_LABELS)
    (place.config.parent / "heads" / "topic" / "1" / "head.npz").write_bytes(b"PK")
    (line,) = problems(place, capsys)
    assert "no usable head" in line


def test_a_model_with_a_head_of_its_own_needs_the_task_s_labels(place: Place, capsys) -> None:
    place.topics()
    folder = place.config.parent / "heads" / "topic" / "2"
    folder.mkdir(parents=True)
    said = ("--set", "judge.kind=sequence")
    (line,) = problems(place, capsys, *said)
    assert "holds no model" in line
    (folder / "model.safetensors").write_bytes(b"weights")
    labels = dict(enumerate(ECHO_LABELS[::-1]))
    config = {"architectures": ["BertForSequenceClassification"], "max_position_embeddings": 512}
    (folder / "config.json").write_text(json.dumps(config | {"id2label": {0: "LABEL_0"}}))
    (line,) = problems(place, capsys, *said)
    assert "id2label says LABEL_0" in line
    (folder / "config.json").write_text(json.dumps(config | {"id2label": labels}))
    assert place.check("--connect", *said) == 0


def test_an_unknown_key_and_a_missing_decoder_are_one_line_each(place: Place, capsys) -> None:
    assert place.check("--set", "input.decoder=nobody.decode") == 2
    assert "nobody.decode" in capsys.readouterr().err
    place.config.write_text(place.config.read_text() + "taks: {}\n")
    assert place.check() == 2
    said = capsys.readouterr().err
    assert "taks: unknown key" in said
    assert said.count("\n") == 1


def test_everything_wrong_is_all_said_at_once(place: Place, capsys) -> None:
    place.topics(judge={"cleanup.policy": "compact"})
    wrong = problems(place, capsys, "--set", "topics.dead=mistyped")
    assert len(wrong) == 3


def test_says_how_long_text_is_kept(place: Place, capsys) -> None:
    place.topics(judge={"retention.ms": str(36 * 3_600_000)})
    place.head(ECHO_LABELS)
    assert place.check("--connect") == 0
    said = capsys.readouterr()
    assert f"text in {place.stem}.judge: 36 hours" in said.out
    assert f"text in {place.stem}.dead: 7 days" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("topic", "config", "words"),
    [
        ("tickets", {"retention.ms": "-1"}, "keeps what tickets say for ever"),
        ("dead", {"retention.ms": "-1"}, "keeps what tickets say for ever"),
        ("audit", {"retention.ms": "1800000"}, "less than audit.patience"),
        ("judge", {"retention.ms": "600000"}, "judge_queue_age (300 s) is more than a quarter"),
    ],
)
def test_a_doubtful_retention_is_a_warning(
    place: Place, capsys, topic: str, config: dict[str, str], words: str
) -> None:
    place.topics(**{topic: config})
    place.head(ECHO_LABELS)
    assert place.check("--connect") == 0
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.startswith("warning: topic ")
    assert words in line
    good = "the configuration is good: Kafka, Triton and the judge too, but for 1 warning"
    assert said.out.splitlines()[0] == good


def test_summaries_on_several_partitions_are_a_warning(place: Place, capsys) -> None:
    place.topics(partitions=2)
    place.head(ECHO_LABELS)
    assert place.check("--connect", "--json") == 0
    raw = json.loads(capsys.readouterr().out)
    assert [line.split()[1] for line in raw["warnings"]] == [
        f"'{place.stem}.{name}'" for name in ("stats", "alerts")
    ]


def test_a_page_that_everybody_could_open_is_a_problem(tmp_path: Path, capsys) -> None:
    config = tmp_path / "streamer.yaml"
    config.write_text(CONFIG.format(kafka="nowhere:1", triton="nowhere:2", stem="t"))
    assert main(["check", "--config", str(config)]) == 0
    opened = ["--set", "monitor.listen.host=0.0.0.0"]
    assert main(["check", "--config", str(config), *opened]) == 2
    assert "a monitor.token is needed" in capsys.readouterr().err


def test_tickets_are_looked_at(place: Place, capsys, tmp_path: Path) -> None:
    place.topics()
    place.head(ECHO_LABELS)
    assert place.check("--connect") == 0
    assert "tickets none in" in capsys.readouterr().out
    rows = tmp_path / "rows.jsonl"
    row = '{{"number": {}, "text": "all is well", "source": "web"}}\n'
    rows.write_text("".join(map(row.format, range(3))))
    sent = ["send", "--config", str(place.config), "--set", "input.id=/number", str(rows)]
    assert main(sent) == 0
    capsys.readouterr()
    (line,) = problems(place, capsys)
    assert "input.id: 0 of 3 tickets have an id at /id; /number is in all" in line
    assert place.check("--connect", "--set", "input.id=/number") == 0
    assert "tickets 3 of the newest were looked at" in capsys.readouterr().out


def test_a_program_for_the_judge_that_is_not_there_is_one_line(place: Place, capsys) -> None:
    place.topics()
    place.head(ECHO_LABELS)
    (line,) = problems(place, capsys, "--set", "judge.python=nowhere/python")
    assert "judge.python: there is no program" in line


def test_a_version_on_trial_that_triton_lacks_is_one_line(place: Place, capsys) -> None:
    place.topics()
    place.head(ECHO_LABELS)
    trial = "{model: echo_b, version: '1', shadow: {version: '9', share: 0.5}}"
    place.config.write_text(place.config.read_text().replace("echo_b", trial))
    (line,) = problems(place, capsys)
    assert "echo_b" in line
    assert "9" in line
