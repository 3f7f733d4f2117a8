import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.candidate import candidate
from streamer.decide.predictions import ABSTAINED, Predictions

vectors = st.lists(
    st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda row: np.array(row) / sum(row)),
    min_size=3,
    max_size=3,
)


@given(vectors, st.lists(st.booleans(), min_size=3, max_size=3))
def test_it_is_the_likeliest_by_the_mean_of_those_that_answered(
    rows: list[np.ndarray], out: list[bool]
) -> None:
    worker_predictions = [
        Predictions.none(1) if missing else Predictions.of(row[None].astype(np.float32))
        for row, missing in zip(rows, out, strict=True)
    ]
    found = candidate(worker_predictions)
    there = [row.astype(np.float32) for row, missing in zip(rows, out, strict=True) if not missing]
    if not there:
        assert found.label_ids.tolist() == [ABSTAINED]
        return
    mean = np.mean(np.array(there, np.float64), axis=0)
    assert found.ensemble is not None
    assert np.allclose(found.ensemble[0], mean)
    assert found.label_ids[0] == mean.argmax()
    assert np.isclose(found.confidence[0], mean.max())


def test_an_unusable_row_is_left_out() -> None:
    good, bad = np.array([[0.4, 0.6]], np.float32), np.array([[np.nan, 1.0]], np.float32)
    found = candidate([Predictions.of(good), Predictions.of(bad)])
    assert found.ensemble is not None
    assert np.allclose(found.ensemble, good)


def test_workers_with_labels_only_are_counted() -> None:
    votes = [Predictions(np.array([code, ABSTAINED]), None) for code in (2, 1, 2)]
    found = candidate(votes)
    assert found.label_ids.tolist() == [2, ABSTAINED]
    assert found.ensemble is None
