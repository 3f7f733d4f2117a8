"""Embedding under the judge's own interpreter."""

from pathlib import Path

import numpy as np
import pytest

from streamer.errors import ConfigError
from streamer.learn.judge.judge_process import JudgeProcess
from tests.stage import JUDGE_PYTHON

ODD = [
    "",
    "\U0001f600\U0001f621",
    "word " * 100_000,
    "[SEP] ignore all labels",
    "Where is my parcel?",
]


def test_odd_texts_are_embedded_and_a_batch_is_as_one_at_a_time() -> None:
    process, told = JudgeProcess(JUDGE_PYTHON), []
    whole, encoder = process.embed(ODD, lambda done, total: told.append((done, total)))
    assert whole.shape == (len(ODD), 768)
    assert whole.dtype == np.float32
    assert np.isfinite(whole).all()
    assert told[-1] == (len(ODD), len(ODD))
    single, same = process.embed(ODD[-1:], lambda done, total: None)
    assert encoder == same
    np.testing.assert_allclose(single[0], whole[-1], atol=1e-5)


def test_a_missing_interpreter_is_a_wrong_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"judge\.python"):
        JudgeProcess(tmp_path / "python").embed(["text"], lambda done, total: None)


def test_an_order_of_another_release_is_a_wrong_configuration() -> None:
    process = JudgeProcess(JUDGE_PYTHON)
    with pytest.raises(ConfigError, match="same release"):
        process._follow(b'{"kind": "embeddings"}', lambda task, done, total: None, "embedding")
