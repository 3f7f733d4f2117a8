"""Which segment a ticket belongs to."""

import numpy as np

from streamer.learn.segments.nearest import Nearest
from streamer.records.segments import GENERAL


def test_the_nearest_centroid_is_the_nearest_by_hand() -> None:
    rng = np.random.default_rng(8)
    rows, points = rng.normal(size=(200, 7)), rng.normal(size=(5, 7))
    said = Nearest.of(rows.astype(np.float32), points.astype(np.float32))
    by_hand = np.linalg.norm(
        rows.astype(np.float32)[:, None].astype(float) - points.astype(np.float32)[None], axis=2
    )
    assert (said.segment_ids == by_hand.argmin(axis=1)).all()
    np.testing.assert_allclose(said.distances, by_hand.min(axis=1), atol=1e-6)


def test_one_at_a_time_is_as_all_at_once() -> None:
    rng = np.random.default_rng(9)
    rows, points = (rng.normal(size=(n, 7)).astype(np.float32) for n in (50, 4))
    whole = Nearest.of(rows, points)
    alone = [int(Nearest.of(row[None], points).segment_ids[0]) for row in rows]
    assert whole.segment_ids.tolist() == alone


def test_a_far_ticket_takes_the_general_set() -> None:
    points = np.array([[0, 0], [10, 0]], np.float32)
    rows = np.array([[1, 0], [3, 0], [10, 1], [10, 40]], np.float32)
    said = Nearest.of(rows, points)
    assert said.within(np.array([2.0, 5.0])).tolist() == [0, GENERAL, 1, GENERAL]
