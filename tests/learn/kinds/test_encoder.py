"""The encoder worker: what it is made of, and what it refuses."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from streamer.backends.encoder_model import EncoderModel
from streamer.backends.sentence_encoder import GRAPH
from streamer.errors import ConfigError, ModelError
from streamer.learn.artifacts.repository import latest_version
from streamer.learn.kinds import kind_of
from streamer.learn.kinds.kind import Targets
from streamer.learn.kinds.pretrained import Pretrained
from streamer.learn.train.training import Job, train_workers
from tests.learn.material import LABELS, made_up
from tests.learn.tiny_encoder import SETTINGS, a_kind, tiny_encoder, write_encoder


def targets(count: int) -> Targets:
    examples = made_up(count)
    return Targets(
        examples.texts, np.array([LABELS.index[label] for label in examples.labels]), len(LABELS)
    )


def saved(folder: Path) -> Path:
    a_kind("encoder").fit(targets(90), SETTINGS, 1).save(folder)
    return folder


def test_a_version_answers_with_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "encoder"
    folder.mkdir()
    write_encoder(folder)
    version = tmp_path / "1"
    version.mkdir()
    made = kind_of("encoder", folder).fit(targets(90), SETTINGS, 1)
    made.save(version)
    for file in folder.iterdir():
        file.unlink()
    texts = made_up(50, seed=3).texts
    again = EncoderModel.load(version)
    assert again.size == made.size == len(LABELS)
    np.testing.assert_allclose(
        again.probabilities(texts), made.probabilities(texts), rtol=0, atol=1e-5
    )
    assert again.probabilities([]).shape == (0, len(LABELS))


def test_another_encoder_means_training_again(tmp_path: Path) -> None:
    write_encoder(tmp_path)
    job = Job("topic", "topic", "encoder", LABELS, made_up(60), encoder=tmp_path)
    models = tmp_path / "models"

    def trained() -> int:
        train_workers([job], models, seed=1, progress=lambda *_: None, processes=1)
        return latest_version(models, "topic")

    assert [trained(), trained()] == [1, 1]
    write_encoder(tmp_path, seed=2)
    assert trained() == 2


def test_each_text_is_embedded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kind, asked = a_kind("encoder"), []
    embeddings = Pretrained.embeddings
    plain = targets(90)
    kind.tune(plain, targets(30), 1)
    known = kind._pretrained._known
    assert set(known) == {*plain.texts, *targets(30).texts}

    def watched(self: Pretrained, texts: list[str]) -> np.ndarray:
        asked.append([text for text in texts if text not in self._known])
        return embeddings(self, texts)

    monkeypatch.setattr(Pretrained, "embeddings", watched)
    kind.fit(plain, SETTINGS, 1)
    assert asked == [[]]


def test_a_folder_that_is_missing_or_no_encoder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no sentence encoder"):
        kind_of("encoder", tmp_path / "none").base()
    write_encoder(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match="put the encoder's fast tokenizer there"):
        kind_of("encoder", tmp_path).fit(targets(30), SETTINGS, 1)


def test_a_tokenizer_of_another_encoder_is_refused(tmp_path: Path) -> None:
    write_encoder(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"vocab_size": 5}))
    with pytest.raises(ConfigError, match="and the encoder knows 5"):
        kind_of("encoder", tmp_path).fit(targets(30), SETTINGS, 1)


@pytest.mark.parametrize("missing", ["onnxruntime", "tokenizers"])
def test_a_package_that_is_missing_is_told_by_who_trains_and_who_serves(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = saved(tmp_path)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigError, match=rf"{missing}.*streamer\[encoder\]"):
        a_kind("encoder").base()
    with pytest.raises(ModelError, match=rf"{missing}.*streamer\[encoder\]"):
        EncoderModel.load(version)


@pytest.mark.parametrize("file", [GRAPH, "tokenizer.json", "model.npz"])
@pytest.mark.parametrize("content", [None, b"", b"\x80\x04K\x01."])
def test_a_version_that_is_damaged_is_not_served(
    file: str, content: bytes | None, tmp_path: Path
) -> None:
    version = saved(tmp_path)
    (version / file).unlink()
    if content is not None:
        (version / file).write_bytes(content)
    with pytest.raises(ModelError, match="train"):
        EncoderModel.load(version)


def test_a_head_of_another_encoder_is_not_served(tmp_path: Path) -> None:
    version = saved(tmp_path)
    np.savez(version / "model.npz", weights=np.ones((7, 3)), bias=np.ones(3))
    with pytest.raises(ModelError, match="of another encoder"):
        EncoderModel.load(version)


def test_the_packages_encoder_is_taken_where_none_is_named() -> None:
    assert kind_of("encoder").base() != kind_of("encoder", tiny_encoder()).base()
    assert kind_of("word_ngrams").base() == ""
