"""`streamer judge --test` on a tiny model of random weights."""

import csv
import signal
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
import yaml
from prometheus_client.metrics_core import Metric

from streamer.commands.judge_test import ways
from streamer.commands.judge_test.run import Wish, run
from streamer.commands.judge_test.ways import TYPICAL
from streamer.commands.judge_test.writing import Choosable, write
from streamer.config import Settings, load
from streamer.errors import ConfigError
from streamer.judging.engine.engine_judge import EngineJudge
from streamer.judging.engine.watched_engine import WatchedEngine
from streamer.judging.llm.nearest import LabelledTickets
from streamer.judging.llm.prompt import load_prompts
from streamer.judging.loading import load as load_judge
from streamer.judging.loading import loaded
from streamer.judging.surroundings import Surroundings
from streamer.learn.judge_test.variant import Question, Variant
from tests.judging.tiny import WORDS, save_model
from tests.learn.judge_test.judges import LABELS as MOODS
from tests.learn.judge_test.judges import TASK, Leaning, tickets

LABELS = ("account", "refund")
CONFIG = """\
kafka: {start: earliest}
judge:
  kind: llm  # ours
  model: model
  codes: letters
  max_ticket_tokens: 64
  engine: {precision: float32}
tasks:
  topic:
    labels: [account, refund]
    workers: [a, b]
    data: {train: train.csv, text: [text], label: label}
"""
PROMPT = {
    "instructions": "You label tickets.",
    "labels": {name: f"about {name}" for name in LABELS},
}


def _tickets(file: Path, count: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["text", "label"])
        for number in range(count):
            words = draw.choice(" ".join(WORDS).split(), size=5)
            rows.writerow([f"{' '.join(words)} {seed}x{number}", LABELS[number % 2]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tested")
    save_model(made / "model")
    _tickets(made / "train.csv", 60, 1)
    _tickets(made / "test.csv", 14, 2)
    (made / "prompts").mkdir()
    (made / "prompts/topic.yaml").write_text(yaml.safe_dump(PROMPT, sort_keys=False))
    (made / "b.yaml").write_text(yaml.safe_dump(PROMPT | {"instructions": "Sort these tickets."}))
    (made / "streamer.yaml").write_text(CONFIG)
    return made


def _wish(folder: Path) -> Wish:
    return Wish(
        file=folder / "test.csv",
        tasks=(),
        choose=12,
        tickets=12,
        prompts=(folder / "b.yaml",),
        examples=2,
        out=folder / "out",
        config=None,
        as_json=True,
    )


def _settings(folder: Path) -> Settings:
    return load(folder / "streamer.yaml")


def test_it_tells_writes_and_needs_no_engine_where_all_is_answered(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(_settings(folder), _wish(folder)) == 0
    said = capsys.readouterr()
    told = orjson.loads(said.out)
    # Random weights would rather say anything else.
    assert "judge.min_coverage is 0.5: the service would not start" in said.err
    assert (told["chosen_on"], told["told_on"]) == (12, 12)
    chosen = told["told"][0]
    assert sum(map(sum, chosen["confusion"]["counts"])) == 12
    assert chosen["bias"]["orders"] == 2
    assert chosen["price"]["tokens"] > 10
    assert {one["name"] for one in told["alone"]} >= {"the commonest label"}
    assert "no version of a" in told["missing"][0] or "only Triton" in told["missing"][0]
    page = (folder / "out/topic/judge.html").read_text()
    assert chosen["variant"] in page
    for ticket in csv.DictReader((folder / "test.csv").open()):
        assert ticket["text"] not in (folder / "out/topic/judge.answers.jsonl").read_text()

    def refuse(*_: object) -> None:
        raise AssertionError("an engine was started")

    monkeypatch.setattr(WatchedEngine, "start", refuse)
    assert run(_settings(folder), replace(_wish(folder), config=folder / "streamer.yaml")) == 0
    again = orjson.loads(capsys.readouterr().out)
    assert again["told"] == told["told"]
    assert "kind: llm  # ours" in (folder / "streamer.yaml").read_text()
    # What was written is what was chosen, and can be served.
    settings = _settings(folder)
    judge, variant = settings.judge, again["choice"]["chosen"]["variant"]
    assert judge.codes == variant["question"]["codes"]
    assert judge.examples == variant["question"]["examples"]
    assert (judge.contextual, judge.shifts) == (variant["contextual"], variant["shifts"])
    assert load_judge(settings).label_sets("topic")


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Leaning]:
    """A judge that is no language model, and tickets that it knows."""
    for name, count, seed in (("train", 80, 1), ("test", 30, 2)):
        examples = tickets(count, seed)
        with (tmp_path / f"{name}.csv").open("w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(["text", "label"])
            rows.writerows(zip(examples.texts, examples.labels, strict=True))
    labels = "[account, refund]"
    text = CONFIG.replace(labels, f"[{', '.join(MOODS.labels)}]").replace(
        "kind: llm", "remember: 1"
    )
    (tmp_path / "streamer.yaml").write_text(text.replace("topic:", f"{TASK}:"))
    judge = Leaning(Question())

    async def loaded(settings: Settings) -> Leaning:
        return judge

    monkeypatch.setattr(ways, "loaded", loaded)
    return load(tmp_path / "streamer.yaml"), judge


def test_a_judge_that_is_no_language_model_is_tested_as_it_is(
    tmp_path: Path, scripted: tuple[Settings, Leaning], capsys: pytest.CaptureFixture[str]
) -> None:
    settings, judge = scripted
    assert run(settings, replace(_wish(tmp_path), prompts=(), as_json=False)) == 0
    assert judge.stopped
    shown = capsys.readouterr().out
    assert "told of on 12 tickets" in shown
    assert "1.000 [0.758, 1.000]" in shown
    assert "nearest of" in shown


def test_a_test_that_is_ended_leaves_no_engine_and_goes_on_later(
    tmp_path: Path, scripted: tuple[Settings, Leaning]
) -> None:
    settings, judge = scripted
    before = signal.getsignal(signal.SIGTERM)
    judge.dies_after = 8
    try:
        with pytest.raises(KeyboardInterrupt):
            run(settings, _wish(tmp_path))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert judge.stopped
    kept = (tmp_path / f"out/{TASK}/judge.answers.jsonl").read_text().splitlines()
    assert len(kept) == 12
    judge.asked.clear()
    run(settings, _wish(tmp_path))
    assert len(judge.asked) == 12


def test_typical_examples_are_written_behind_the_prompt(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/topic.yaml").write_text(f"# ours\n{yaml.safe_dump(PROMPT)}")
    (tmp_path / "streamer.yaml").write_text(CONFIG)
    settings = load(tmp_path / "streamer.yaml")
    own = load_prompts(tmp_path / "prompts", settings.label_sets)["topic"][0]
    shown = (("money: back", "refund"), ("# my name", "account"))
    found = Choosable(
        "topic",
        {TYPICAL: replace(own, examples=shown)},
        LabelledTickets(own.label_set, ("x", "y"), (0, 1), lambda texts: np.zeros((len(texts), 2))),
    )
    variant = Variant(Question(TYPICAL, "names", 0, 3))
    said = list(write(settings, tmp_path / "streamer.yaml", variant, found))
    assert [line.rpartition("/")[2] for line in said] == [
        "topic.yaml",
        "topic.examples.jsonl",
        "streamer.yaml",
    ]
    assert (tmp_path / "prompts/topic.yaml").read_text().startswith("# ours\n")
    written = load_prompts(tmp_path / "prompts", settings.label_sets)["topic"][0]
    assert written.examples == shown
    rows = (tmp_path / "prompts/topic.examples.jsonl").read_text().splitlines()
    assert [orjson.loads(row) for row in rows] == [
        {"text": "x", "label": "account"},
        {"text": "y", "label": "refund"},
    ]


def test_several_tasks_and_unknown_labels_are_refused(folder: Path, tmp_path: Path) -> None:
    settings = _settings(folder)
    both = settings.model_copy(
        update={"tasks": {**settings.tasks, "other": settings.tasks["topic"]}}
    )
    with pytest.raises(ConfigError, match="name it by --task"):
        run(both, _wish(folder))
    (tmp_path / "strange.csv").write_text("text,label\nhello,reffund\n")
    with pytest.raises(ConfigError, match="no label 'reffund'"):
        run(settings, replace(_wish(folder), file=tmp_path / "strange.csv"))


async def test_an_engine_in_this_process_gives_it_its_metrics(folder: Path) -> None:
    given: list[Callable[[], Iterable[Metric]]] = []
    judge = await loaded(_settings(folder), Surroundings(watch=given.append))
    assert isinstance(judge, EngineJudge)
    assert given == [judge.collect]
    assert list(given[0]()) == []
