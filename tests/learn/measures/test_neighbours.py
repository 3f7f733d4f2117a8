"""Labels by the nearest labelled tickets."""

import numpy as np

from streamer.learn.measures.neighbours import Neighbours, typical

SEED = 11


def _clouds(each: int, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    centres = np.eye(4)[:3] * 3
    points = np.concatenate([centre + draw.normal(size=(each, 4)) for centre in centres])
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    return unit.astype(np.float32), np.repeat(np.arange(3), each)


def test_the_number_asked_is_the_best_on_other_tickets() -> None:
    rows, labels = _clouds(60)
    other, gold = _clouds(60, SEED + 1)
    found = Neighbours.tuned(rows, labels, 3, other, gold)
    right = {
        count: (Neighbours(rows, labels, 3, count).label_ids(other) == gold).sum()
        for count in (1, 3, 5, 9, 15, 25)
    }
    assert right[found.count] == max(right.values())
    assert right[found.count] > right[1]


def test_one_neighbour_is_the_ticket_itself_where_it_is_among_them() -> None:
    rows, labels = _clouds(20)
    assert (Neighbours(rows, labels, 3, 1).label_ids(rows) == labels).all()


def test_typical_tickets_are_near_the_middle_of_their_label_and_take_turns() -> None:
    rows, labels = _clouds(20)
    places = typical(rows, labels, 3, 2)
    assert labels[places].tolist() == [0, 1, 2, 0, 1, 2]
    middle = rows[labels == 0].mean(axis=0)
    assert rows[places[0]] @ middle == (rows[labels == 0] @ middle).max()


def test_a_label_with_fewer_tickets_gives_what_it_has() -> None:
    rows, labels = _clouds(2)
    assert len(typical(rows[1:], labels[1:], 3, 2)) == 5
