"""Trained workers in this process."""

from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ConfigError
from streamer.learn.artifacts.loading import load_worker
from streamer.learn.kinds.kind import Targets
from streamer.learn.kinds.linear import word_ngrams

TEXTS = ("money back", "money please", "app broken", "app crash") * 5


def _saved(repository: Path, version: int, labels: list[int]) -> np.ndarray:
    targets = Targets(TEXTS, np.array(labels * 5), 2)
    model = word_ngrams().fit(targets, {"softness": 1.0, "factor": 1.0}, seed=1)
    folder = repository / "topic_word" / str(version)
    folder.mkdir(parents=True)
    model.save(folder)
    return model.probabilities(TEXTS)


def test_the_newest_version_answers_or_the_one_that_is_named(tmp_path: Path) -> None:
    older, newest = _saved(tmp_path, 2, [1, 1, 0, 0]), _saved(tmp_path, 10, [0, 0, 1, 1])
    for version, wanted in ((None, newest), ("2", older)):
        found = load_worker(tmp_path, "topic_word", "word_ngrams", version)
        assert found.probabilities(TEXTS) == pytest.approx(wanted)


def test_what_is_not_there_or_runs_in_triton_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no version of topic_word"):
        load_worker(tmp_path, "topic_word", "word_ngrams")
    with pytest.raises(ConfigError, match="only Triton runs"):
        load_worker(tmp_path, "topic_word", None)
