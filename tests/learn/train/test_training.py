from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ConfigError, ModelError
from streamer.learn.artifacts.held_out import HeldOut
from streamer.learn.artifacts.manifest import Manifest
from streamer.learn.artifacts.repository import latest_version
from streamer.learn.data.examples import Examples
from streamer.learn.kinds import KINDS
from streamer.learn.measures.scores import Scores
from streamer.learn.train.training import Job, train_workers
from streamer.learn.train.worker import train_worker
from streamer.records.labelset import LabelSet
from tests.learn.material import LABELS, made_up
from tests.learn.tiny_encoder import a_kind, encoder_of


def quiet(model: str, done: int, total: int) -> None:
    pass


def job(kind: str, examples: Examples | None = None, labels: LabelSet = LABELS) -> Job:
    given = examples or made_up(240)
    return Job("topic", f"topic_{kind}", kind, labels, given, encoder=encoder_of(kind))


def trained(jobs: list[Job], folder: Path, *, seed: int = 1, processes: int = 1):
    return train_workers(jobs, folder, seed=seed, progress=quiet, processes=processes)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_learns_and_scores_itself_on_texts_it_has_not_seen(
    kind: str, tmp_path: Path
) -> None:
    manifest = trained([job(kind)], tmp_path)[f"topic_{kind}"]
    # Every tenth text is about another label, by chance two times of three.
    assert 0.8 < manifest.held_out.accuracy < 1
    assert manifest.held_out.nll < np.log(3)
    version = tmp_path / f"topic_{kind}" / "1"
    held_out = HeldOut.load(version)
    assert Scores.of(held_out.probs, held_out.gold) == manifest.held_out
    assert Manifest.read(version) == manifest
    assert (version.parent / "labels.txt").read_text().split() == list(LABELS.labels)
    assert f'backend: "{kind}"' in (version.parent / "config.pbtxt").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bytes(kind: str, tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        trained([job(kind)], tmp_path / name)
        version = tmp_path / name / f"topic_{kind}" / "1"
        contents.append([(version / f).read_bytes() for f in ("model.npz", "held_out.npz")])
    assert contents[0] == contents[1]


def test_another_seed_holds_out_other_texts(tmp_path: Path) -> None:
    first, second = (
        trained([job("word_ngrams")], tmp_path, seed=seed)["topic_word_ngrams"] for seed in (1, 2)
    )
    assert first.held_out != second.held_out
    assert latest_version(tmp_path, "topic_word_ngrams") == 2


def test_only_what_has_changed_is_trained_again(tmp_path: Path) -> None:
    plain = job("word_ngrams")
    first = trained([plain], tmp_path)
    assert trained([plain], tmp_path) == first
    assert latest_version(tmp_path, plain.model) == 1
    turned = LabelSet(tuple(reversed(LABELS.labels)))
    changes = [replace(plain, examples=made_up(241)), replace(plain, label_set=turned)]
    for number, changed in enumerate(changes, 2):
        trained([changed], tmp_path)
        assert latest_version(tmp_path, plain.model) == number


def test_a_damaged_manifest_means_training_again(tmp_path: Path) -> None:
    trained([job("word_ngrams")], tmp_path)
    manifest = tmp_path / "topic_word_ngrams" / "1" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:200])
    trained([job("word_ngrams")], tmp_path)
    assert latest_version(tmp_path, "topic_word_ngrams") == 2


def test_several_processes_train_the_same_models_and_tell_their_progress(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    jobs = [job(kind) for kind in ("word_ngrams", "char_ngrams")]
    train_workers(
        jobs, tmp_path / "many", seed=1, progress=lambda *step: seen.append(step), processes=2
    )
    trained(jobs, tmp_path / "one")
    assert [step[1:] for step in seen] == [(1, 2), (2, 2)]
    assert {step[0] for step in seen} == {"topic_word_ngrams", "topic_char_ngrams"}
    for each in jobs:
        files = [tmp_path / n / each.model / "1" / "model.npz" for n in ("many", "one")]
        assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_two_labels_and_a_label_that_training_missed(kind: str) -> None:
    """The rare label's only text may be held out; the worker must still know all labels."""
    two = LabelSet(("a", "b"))
    texts = tuple(f"{'good' if i % 2 else 'bad'} text {i}" for i in range(60))
    binary = Examples(texts, tuple("ab"[i % 2] for i in range(60)))
    model = train_worker(a_kind(kind), binary, two, seed=1).model
    assert model.probabilities(["bad text", "good text"]).argmax(axis=1).tolist() == [0, 1]
    rare = next(t for t in map(str, range(99)) if Examples((t,), ("r",)).split(0.15, 1)[1].texts)
    three = LabelSet(("a", "r", "b"))
    examples = Examples((*texts, rare), (*binary.labels, "r"))
    worker = train_worker(a_kind(kind), examples, three, seed=1)
    assert worker.held_out.probs.shape[1] == 3
    answers = worker.held_out.probs.argmax(axis=1)
    assert (answers == worker.held_out.gold)[worker.held_out.gold != 1].all()


def test_an_unknown_kind_or_label_is_told_before_training(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no kind 'magic' to train; give one of char_ngrams"):
        trained([job("word_ngrams"), job("magic")], tmp_path)
    wrong = LabelSet((*LABELS.labels[:2], "other"))
    with pytest.raises(ConfigError, match="task topic: example 3 has the label 'shipping'"):
        trained([job("word_ngrams", labels=wrong)], tmp_path)
    assert not list(tmp_path.iterdir())


def test_too_few_examples_are_told(tmp_path: Path) -> None:
    few = Examples(("one", "two"), ("a", "b"))
    with pytest.raises(ConfigError, match="2 examples are too few"):
        trained([job("word_ngrams", few, LabelSet(("a", "b")))], tmp_path)
    assert not list(tmp_path.glob("*/[0-9]*"))


def test_held_out_answers_that_are_missing_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="train it again"):
        HeldOut.load(tmp_path)
