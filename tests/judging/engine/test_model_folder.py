import json
from pathlib import Path

import pytest

from streamer.errors import ConfigError
from streamer.judging.engine.model_folder import ModelFolder


def model(folder: Path, **config: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config or {"max_position_embeddings": 512}))
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_a_folder_that_holds_a_model_is_it_whatever_lies_beside(tmp_path: Path) -> None:
    model(tmp_path / "1")
    assert ModelFolder.at(model(tmp_path)).folder == tmp_path


def test_of_numbered_versions_the_newest_is_taken(tmp_path: Path) -> None:
    for name in ("2", "10", "draft"):
        model(tmp_path / name)
    assert ModelFolder.at(tmp_path).folder == tmp_path / "10"


@pytest.mark.parametrize(
    "config",
    [
        {"n_positions": 128},
        {"max_position_embeddings": 512, "max_seq_len": 128},
        # As Gemma 3 and Mistral 3 have it.
        {"text_config": {"max_position_embeddings": 128}, "vision_config": {"image_size": 32}},
    ],
)
def test_the_length_is_found_wherever_a_config_has_it(
    tmp_path: Path, config: dict[str, object]
) -> None:
    assert ModelFolder.at(model(tmp_path, **config)).max_tokens == 128


def test_a_config_without_a_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lacks 'max_position_embeddings'"):
        ModelFolder.at(model(tmp_path, hidden_size=64))


def test_a_model_without_its_weights_is_not_replaced_by_a_version(tmp_path: Path) -> None:
    model(tmp_path / "1")
    (model(tmp_path) / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match="holds no model"):
        ModelFolder.at(tmp_path)
