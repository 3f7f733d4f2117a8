"""Heads on disk, and which of them a judge holds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import ConfigError, TicketError
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.classifier.heads import Head, Heads
from streamer.records.labelset import LabelSet

ENCODER = Encoder(Path("encoder"), max_tokens=256, layers=(4, 6), dimensions=8, digest="d" * 64)
OLD, NEW, NEWEST = LabelSet(("a", "b")), LabelSet(("a", "b", "c")), LabelSet(("c", "b", "a"))


def head(labels: LabelSet, seed: int = 0) -> Head:
    draw = np.random.default_rng(seed)
    weights = draw.normal(size=(8, len(labels))).astype(np.float32)
    return Head(labels, ENCODER.digest, weights, np.zeros(len(labels), np.float32), 0.7)


def saved(models: Path, *heads: Head) -> Path:
    for version, item in enumerate(heads, 1):
        folder = models / "intent" / str(version)
        folder.mkdir(parents=True)
        item.save(folder)
    return models


def test_a_head_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    made = head(NEW)
    loaded = Head.load(saved(tmp_path, made) / "intent" / "1")
    rows = np.random.default_rng(1).normal(size=(5, 8)).astype(np.float32)
    assert (loaded.label_set, loaded.version) == (NEW, "1")
    np.testing.assert_array_equal(loaded.probabilities(rows), made.probabilities(rows))


def test_columns_are_in_the_order_of_the_labels() -> None:
    weights = np.eye(8, 3, dtype=np.float32) * 50
    made = replace(head(NEWEST), weights=weights)
    assert made.probabilities(np.eye(3, 8, dtype=np.float32)).argmax(axis=1).tolist() == [0, 1, 2]


@given(st.integers(0, 2**32), st.floats(0.01, 1e4))
def test_rows_sum_to_one_at_any_scale(seed: int, scale: float) -> None:
    rows = (np.random.default_rng(seed).normal(size=(4, 8)) * scale).astype(np.float32)
    probabilities = head(NEW, seed % 97).probabilities(rows)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    "broken",
    [
        replace(head(NEW), temperature=0.0),
        replace(head(NEW), bias=np.zeros(2, np.float32)),
        replace(head(NEW), weights=np.full((8, 3), np.nan, np.float32)),
    ],
)
def test_an_unsound_head_is_refused(tmp_path: Path, broken: Head) -> None:
    with pytest.raises(ConfigError, match="train it again"):
        Heads.load(saved(tmp_path, broken), {"intent": NEW}, ENCODER)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"not a head"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (saved(tmp_path, head(NEW)) / "intent" / "1" / "head.npz").write_bytes(content)
    with pytest.raises(ConfigError, match="train it again"):
        Head.load(tmp_path / "intent" / "1")


def test_the_configured_label_set_and_the_one_before_are_held(tmp_path: Path) -> None:
    models = saved(tmp_path, head(NEWEST), head(OLD, 1), head(OLD, 2), head(NEW, 3), head(NEW, 4))
    heads = Heads.load(models, {"intent": NEW}, ENCODER)
    assert heads.label_sets("intent") == (NEW, OLD)
    assert heads.find("intent", NEW.version).version == "5"
    assert heads.find("intent", OLD.version).version == "3"
    with pytest.raises(TicketError, match="unknown_label_set"):
        heads.find("intent", NEWEST.version)


def test_going_back_to_older_labels_takes_their_head(tmp_path: Path) -> None:
    heads = Heads.load(saved(tmp_path, head(OLD), head(NEW)), {"intent": OLD}, ENCODER)
    assert heads.label_sets("intent") == (OLD, NEW)


def test_version_ten_is_newer_than_nine(tmp_path: Path) -> None:
    models = saved(tmp_path, *(head(NEW, seed) for seed in range(10)))
    heads = Heads.load(models, {"intent": NEW}, ENCODER)
    assert heads.find("intent", NEW.version).version == "10"


def test_a_task_without_a_head_for_its_labels_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="streamer train judge"):
        Heads.load(saved(tmp_path, head(OLD)), {"intent": NEW}, ENCODER)


def test_an_older_head_of_another_encoder_is_left_out(tmp_path: Path) -> None:
    strange = replace(head(OLD), encoder="e" * 64)
    heads = Heads.load(saved(tmp_path, strange, head(NEW)), {"intent": NEW}, ENCODER)
    assert heads.label_sets("intent") == (NEW,)


def test_a_head_of_another_encoder_is_refused(tmp_path: Path) -> None:
    strange = replace(head(NEW), encoder="e" * 64)
    with pytest.raises(ConfigError, match="another encoder"):
        Heads.load(saved(tmp_path, strange), {"intent": NEW}, ENCODER)


def test_an_unknown_task_has_no_label_sets() -> None:
    assert Heads({}).label_sets("unknown") == ()
