"""What is refused of GGUF files before anything is read or written."""

import sys
from pathlib import Path

import pytest

from streamer.errors import ConfigError
from streamer.judging.llm import gguf


def test_a_folder_that_holds_anything_is_never_written_to(tmp_path: Path) -> None:
    file, folder = tmp_path / "a.gguf", tmp_path / "model"
    file.write_bytes(b"GGUF and more")
    folder.mkdir()
    (folder / "config.json").write_text("mine")
    with pytest.raises(ConfigError, match="holds something already"):
        gguf.unpack(file, folder)
    assert (folder / "config.json").read_text() == "mine"


@pytest.mark.parametrize(("content", "words"), [(b"PK", "is no GGUF file"), (None, "can't read")])
def test_what_is_no_such_file_is_refused(
    tmp_path: Path, content: bytes | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.gguf"
    if content is not None:
        file.write_bytes(content)
    assert gguf.main([str(file), str(tmp_path / "model")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_what_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(gguf.importlib.util, "find_spec", lambda name: None)
    assert gguf.main([str(tmp_path / "a.gguf"), str(tmp_path / "model")]) == 2
    said = capsys.readouterr().err
    assert "lacks gguf and accelerate, which only this needs: run `uv pip install" in said
    assert f"--python {sys.executable} gguf accelerate`" in said
