import numpy as np

from streamer.backends.serving import usable_rows


class Brittle:
    """Fails on every batch that holds a certain text."""

    size = 2

    def probabilities(self, texts):
        if "bad" in texts:
            raise RuntimeError("can't")
        return np.tile(np.array([0.25, 0.75], dtype=np.float32), (len(texts), 1))


def test_only_the_row_that_fails_is_nan() -> None:
    probs = usable_rows(Brittle(), ["good", "bad", "fine"])
    assert np.isnan(probs).all(axis=1).tolist() == [False, True, False]
    assert probs[[0, 2]].tolist() == [[0.25, 0.75]] * 2


def test_a_single_bad_row_is_one_row_of_nan() -> None:
    assert np.isnan(usable_rows(Brittle(), ["bad"])).tolist() == [[True, True]]
