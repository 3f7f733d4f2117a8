"""Experts on the disk: what was saved is what answers, and nothing else is taken."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from streamer.backends.artefact import MODEL_FILE
from streamer.backends.experts import EXPERTS_FILE, Experts, load_either
from streamer.backends.features import Features
from streamer.backends.gate import Gate
from streamer.backends.linear import LinearModel
from streamer.backends.ngrams import words_and_shape
from streamer.errors import ModelError
from streamer.learn.kinds import KINDS
from streamer.learn.kinds.kind import Targets
from tests.backends.loaders import LOADERS
from tests.learn.material import LABELS, made_up

TEXTS = [*made_up(120, seed=3).texts, "", "\U0001f600", "x" * 10_000]


def gate() -> Gate:
    """It sees `refund` as segment 0 and `login` as segment 2, and is sure of nothing else."""
    features = Features.fit(words_and_shape, ["refund", "login"], min_texts=1)
    said = features.rows(["refund", "login"]).toarray()
    weights = np.zeros((len(features.buckets), 3), np.float32)
    weights[:, 0], weights[:, 2] = 9 * said[0], 9 * said[1]
    return Gate(LinearModel(features, weights, np.zeros(3, np.float32)), 0.9, 0.01)


def fitted(kind: str, seed: int, size: int = 3):
    examples = made_up(150, seed)
    label_ids = np.array([LABELS.index[label] for label in examples.labels])
    settings = {"softness": 1.0, "factor": 2.0, "epochs": 3.0}
    return KINDS[kind].fit(Targets(examples.texts, label_ids, size), settings, 1)


@pytest.fixture(params=["word_ngrams", "subword_net"])
def saved(request, tmp_path: Path) -> tuple[Path, Experts, Callable]:
    kind = request.param
    made = Experts(gate(), fitted(kind, 1), {0: fitted(kind, 2), 2: fitted(kind, 3)})
    made.save(tmp_path)
    return tmp_path, made, LOADERS[kind]


def test_each_row_is_answered_by_the_expert_of_its_segment(saved) -> None:
    _, made, _ = saved
    answers, places = made.probabilities(TEXTS), made.gate.names(TEXTS).segment_ids
    assert {-1, 0, 2} == set(places.tolist())
    assert answers.dtype == np.float32
    for place, model in {-1: made.general, **made.experts}.items():
        rows = np.flatnonzero(places == place)
        np.testing.assert_array_equal(
            answers[rows], model.probabilities([TEXTS[row] for row in rows])
        )


def test_a_segment_without_an_expert_is_answered_by_the_general_model(saved) -> None:
    _, made, _ = saved
    fewer = Experts(made.gate, made.general, {0: made.experts[0]})
    rows = made.gate.names(TEXTS).segment_ids != 0
    texts = [TEXTS[row] for row in np.flatnonzero(rows)]
    np.testing.assert_array_equal(fewer.probabilities(texts), made.general.probabilities(texts))


def test_what_is_loaded_answers_the_same_bits(saved) -> None:
    folder, made, load = saved
    again = load_either(folder, load)
    assert isinstance(again, Experts)
    assert again.size == made.size == 3
    np.testing.assert_array_equal(again.probabilities(TEXTS), made.probabilities(TEXTS))


def test_a_plain_version_is_loaded_as_ever(tmp_path: Path) -> None:
    plain = fitted("word_ngrams", 1)
    plain.save(tmp_path)
    again = load_either(tmp_path, LOADERS["word_ngrams"])
    assert isinstance(again, LinearModel)
    np.testing.assert_array_equal(again.probabilities(TEXTS), plain.probabilities(TEXTS))


@pytest.mark.parametrize("part", ["gate", "general", "expert-2", EXPERTS_FILE])
def test_a_part_that_is_missing_is_told(saved, part: str) -> None:
    folder, _, load = saved
    (folder / part).unlink() if part == EXPERTS_FILE else shutil.rmtree(folder / part)
    with pytest.raises(ModelError, match="again"):
        load_either(folder, load)


@pytest.mark.parametrize("part", ["gate", "general", "expert-0"])
def test_nothing_is_unpickled(saved, part: str) -> None:
    folder, _, load = saved
    (folder / part / MODEL_FILE).write_bytes(pickle.dumps({"weights": 1}))
    with pytest.raises(ModelError, match=r"no \.npz file"):
        load_either(folder, load)


@pytest.mark.parametrize(
    "said",
    [
        b"{",
        b"[]",
        b'{"at_least": 0.9, "least_known": 0}',
        b'{"at_least": "sure", "least_known": 0, "experts": [0]}',
        b'{"at_least": NaN, "least_known": 0, "experts": [0]}',
        b'{"at_least": 0.9, "least_known": 0, "experts": ["../../general"]}',
        b'{"at_least": 0.9, "least_known": 0, "experts": [-1]}',
        b'{"at_least": 0.9, "least_known": 0, "experts": [true]}',
        b'{"at_least": 0.9, "least_known": 0, "experts": 3}',
        b"\xff",
    ],
)
def test_a_damaged_list_is_told(saved, said: bytes) -> None:
    folder, _, load = saved
    (folder / EXPERTS_FILE).write_bytes(said)
    with pytest.raises(ModelError, match=r"can't load .*experts\.json"):
        load_either(folder, load)


def test_parts_that_do_not_fit_each_other_are_told(saved) -> None:
    folder, made, load = saved
    kind = "word_ngrams" if isinstance(made.general, LinearModel) else "subword_net"
    (folder / "expert-7").mkdir()
    made.general.save(folder / "expert-7")
    (folder / EXPERTS_FILE).write_text(
        json.dumps({"at_least": 0.9, "least_known": 0, "experts": [7]})
    )
    with pytest.raises(ModelError, match="don't fit"):
        load_either(folder, load)
    fitted(kind, 1, size=4).save(folder / "expert-0")
    (folder / EXPERTS_FILE).write_text((folder / EXPERTS_FILE).read_text().replace("[7]", "[0]"))
    with pytest.raises(ModelError, match="don't fit"):
        load_either(folder, load)
