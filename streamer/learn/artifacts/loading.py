"""A trained worker in this process, as Triton's would answer."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from streamer.backends.experts import Experts, load_either
from streamer.backends.linear import LinearModel
from streamer.backends.model import Model
from streamer.backends.net import NetModel
from streamer.backends.ngrams import chars, pieces, words
from streamer.errors import ConfigError
from streamer.learn.artifacts.repository import latest_version

_LOADERS: Mapping[str, Callable[[Path], Model]] = {
    "word_ngrams": partial(LinearModel.load, extract=words),
    "char_ngrams": partial(LinearModel.load, extract=chars),
    "subword_net": partial(NetModel.load, extract=pieces),
}


def load_worker(
    repository: Path, name: str, kind: str | None, version: str | None = None
) -> Model | Experts:
    """A version of a model, by default the newest.

    Raises `ConfigError` where it is of a kind that only Triton can run, or there is none, and
    `ModelError` where it can't be read.
    """
    if kind is None or kind not in _LOADERS:
        raise ConfigError(f"{name} is of a kind that only Triton runs: take its votes from a log")
    number = version or str(latest_version(repository, name))
    folder = repository / name / number
    if number == "0" or not folder.is_dir():
        raise ConfigError(f"{repository} has no version of {name}: run `streamer train workers`")
    return load_either(folder, _LOADERS[kind])
