"""Training the judge, from examples to a head that answers."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ConfigError
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.classifier.heads import Head
from streamer.learn.data.examples import Examples
from streamer.learn.judge.embeddings import Embeddings
from streamer.learn.judge.order import JudgeJob, TrainingOrder
from streamer.learn.judge.training import JudgeTrainer
from streamer.learn.kinds import fitting
from streamer.learn.kinds.kind import Targets
from streamer.records.labelset import LabelSet

LABELS = LabelSet(("shipping", "billing"))
ABOUT = {
    "shipping": ("parcel", "courier", "delivery", "package"),
    "billing": ("invoice", "charge", "payment", "refund"),
}
TEXTS = [
    (f"{start} the {thing}{end}", label)
    for label, things in ABOUT.items()
    for thing in things
    for start in ("Where is", "I have a question about", "Please help with")
    for end in ("?", " of last week", " today")
]
EXAMPLES = Examples(tuple(text for text, _ in TEXTS), tuple(label for _, label in TEXTS))


def silent(task: str, done: int, total: int) -> None:
    assert 0 < done <= total


def blobs(seed: int, rows: int) -> tuple[fitting.Matrix, Targets]:
    """Three overlapping labels, and a fourth that occurs nowhere."""
    draw = np.random.default_rng(seed)
    gold = draw.integers(0, 3, rows)
    points = np.eye(3, 6)[gold] * 2 + draw.normal(size=(rows, 6))
    return points.astype(np.float32), Targets([""] * rows, gold.astype(np.int64), 4)


def test_the_best_penalty_and_temperature_beat_all_others_on_what_was_held_out() -> None:
    (train, taught), (held, held_out) = blobs(1, 300), blobs(2, 200)
    tuned = fitting.tune(train, taught, held, held_out)
    best = held_out.loss(tuned.model.probabilities(held))
    assert held_out.agreement(tuned.model.probabilities(held)) > 0.75
    for factor in (0.8, 1.25):
        other = fitting.Linear(
            tuned.model.weights, tuned.model.bias, tuned.model.temperature * factor
        )
        assert held_out.loss(other.probabilities(held)) > best


def test_a_label_without_examples_gets_almost_no_probability() -> None:
    train, taught = blobs(3, 300)
    model = fitting.fit(train, taught, penalty=0.1)
    assert model.probabilities(train)[:, 3].max() < 0.2


def test_a_head_is_trained_once_and_answers(encoder: Encoder, tmp_path: Path) -> None:
    trainer = JudgeTrainer(encoder, tmp_path / "models", tmp_path / "cache")
    made = trainer.train("topic", EXAMPLES, LABELS, seed=3, progress=silent)
    again = trainer.train("topic", EXAMPLES, LABELS, seed=3, progress=silent)
    assert again == made
    assert [folder.name for folder in (tmp_path / "models/topic").iterdir()] == ["1"]
    head = Head.load(tmp_path / "models/topic/1")
    rows = Embeddings(encoder, tmp_path / "cache").of(
        ["my package did not come", "pay the invoice"], lambda done, total: None
    )
    assert head.label_set == LABELS
    assert head.probabilities(rows).argmax(axis=1).tolist() == [0, 1]


def test_the_same_seed_gives_the_same_head(encoder: Encoder, tmp_path: Path) -> None:
    heads = []
    for name in ("one", "two"):
        trainer = JudgeTrainer(encoder, tmp_path / name, tmp_path / "cache")
        trainer.train("topic", EXAMPLES, LABELS, seed=7, progress=silent)
        heads.append(Head.load(tmp_path / name / "topic" / "1"))
    np.testing.assert_array_equal(heads[0].weights, heads[1].weights)
    assert heads[0].temperature == heads[1].temperature


def test_a_label_outside_the_set_is_refused_before_embedding(
    encoder: Encoder, tmp_path: Path
) -> None:
    trainer = JudgeTrainer(encoder, tmp_path / "models", tmp_path / "cache")
    with pytest.raises(ConfigError, match="label set"):
        trainer.train("topic", EXAMPLES, LabelSet(("billing", "other")), seed=1, progress=silent)
    assert not (tmp_path / "cache").exists()


def test_embeddings_do_not_depend_on_their_neighbours(encoder: Encoder, tmp_path: Path) -> None:
    texts = ["short", "a ticket that is quite a bit longer than the other one " * 5, ""]
    together = Embeddings(encoder, tmp_path).of(texts, lambda done, total: None)
    for row, text in zip(together, texts, strict=True):
        alone = Embeddings(encoder, tmp_path).of([text], lambda done, total: None)
        np.testing.assert_allclose(alone[0], row, atol=1e-5)


def run_order(value: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "streamer.learn.judge"]
    return subprocess.run(command, input=value, capture_output=True, check=False)


def test_an_order_by_stdin_reports_progress_and_the_manifest(tmp_path: Path) -> None:
    file = tmp_path / "topic.csv"
    file.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in TEXTS))
    job = JudgeJob("topic", LABELS.labels, str(file), ("text",), "label")
    order = TrainingOrder((job,), str(tmp_path / "models"), str(tmp_path / "cache"), seed=5)
    done = run_order(order.to_json())
    assert done.returncode == 0, done.stderr.decode()
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["event"] for event in events[:-1]} == {"progress"}
    assert events[-1]["event"] == "trained"
    assert events[-1]["manifest"]["recipe"]["rows"] == len(EXAMPLES)
    assert Head.load(tmp_path / "models/topic/1").label_set == LABELS


def test_a_wrong_order_is_one_line_and_exit_code_2() -> None:
    done = run_order(b'{"jobs": [{}]}')
    assert done.returncode == 2
    assert len(done.stderr.decode().splitlines()) == 1
