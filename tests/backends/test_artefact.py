import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from streamer.backends.artefact import MODEL_FILE, load_arrays, save_arrays
from streamer.backends.linear import LinearModel
from streamer.backends.net import NetModel
from streamer.backends.ngrams import pieces, words
from streamer.errors import ModelError

LOADERS = [partial(LinearModel.load, extract=words), partial(NetModel.load, extract=pieces)]


class Trap:
    """Runs code when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self._witness = witness

    def __reduce__(self):
        return (Path.touch, (self._witness,))


@pytest.mark.parametrize("load", LOADERS)
def test_a_pickle_is_refused_and_not_run(load, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    (tmp_path / MODEL_FILE).write_bytes(pickle.dumps(Trap(witness)))
    with pytest.raises(ModelError, match="train this worker again"):
        load(tmp_path)
    assert not witness.exists()


@pytest.mark.parametrize("load", LOADERS)
def test_a_pickle_inside_of_an_array_is_refused_and_not_run(load, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    trapped = np.array([Trap(witness)], dtype=object)
    np.savez(tmp_path / MODEL_FILE, buckets=trapped, idf=trapped)
    with pytest.raises(ModelError, match="train this worker again"):
        load(tmp_path)
    assert not witness.exists()


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"a": np.ones(3)}, "b is not a file"),
        ({"a": np.ones(3), "b": np.array([1, np.nan])}, "finite"),
        ({"a": np.ones(3), "b": np.array(["text"])}, "not those of this release"),
    ],
)
def test_other_arrays_are_refused(arrays, why: str, tmp_path: Path) -> None:
    save_arrays(tmp_path, arrays)
    with pytest.raises(ModelError, match=why):
        load_arrays(tmp_path, ("a", "b"))


def test_a_missing_or_cut_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=MODEL_FILE):
        load_arrays(tmp_path, ("a",))
    save_arrays(tmp_path, {"a": np.ones(300)})
    whole = (tmp_path / MODEL_FILE).read_bytes()
    (tmp_path / MODEL_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=MODEL_FILE):
        load_arrays(tmp_path, ("a",))


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        save_arrays(tmp_path / name, {"a": np.arange(9), "b": np.ones(2)})
        contents.append((tmp_path / name / MODEL_FILE).read_bytes())
    assert contents[0] == contents[1]
