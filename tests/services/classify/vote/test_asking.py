"""What a worker answers, row by row, and which of it is a vote."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.predictions import ABSTAINED
from streamer.observe.tracing import Tracing
from streamer.services.classify.vote.asking import ask_worker
from streamer.workers.wire import TextTensor
from streamer.workers.worker import WorkerAnswer

NAN, INF = math.nan, math.inf


class Says:
    """A worker that answers these rows, whatever it is asked."""

    model = "says"

    def __init__(self, *rows: list[float]) -> None:
        self._rows = rows

    async def answer(self, tensor: TextTensor, traceparent: str | None = None) -> WorkerAnswer:
        return WorkerAnswer("1", np.array(self._rows, np.float32))


async def voted(*rows: list[float]) -> list[int]:
    """The labels of what a worker answers."""
    with Tracing("test", 0.0).batch("tickets", [], len(rows)) as batch_trace:
        votes = await ask_worker(Says(*rows), TextTensor([b"x"] * len(rows)), batch_trace)
    return votes.predictions.label_ids.tolist()


@pytest.mark.parametrize(
    "row",
    [
        [-0.1, 0.3, 0.8],
        [0.3, -0.2, 0.9],
        [1.5, -0.25, -0.25],
        [NAN, 0.5, 0.5],
        [0.5, 0.5, NAN],
        [INF, 0.0, 0.0],
        [INF, -INF, 1.0],
        [-INF, 1.0, 1.0],
        [0.5, 0.4, 0.0],
        [0.0, 0.0, 0.0],
    ],
)
async def test_a_row_that_is_no_distribution_is_no_vote(row: list[float]) -> None:
    assert await voted([0.2, 0.7, 0.1], row, [0.6, 0.1, 0.3]) == [1, ABSTAINED, 0]


@given(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3), st.floats(2**-10, 3, width=32))
async def test_what_sums_to_one_by_a_negative_entry_is_no_vote(
    rest: list[float], below: float
) -> None:
    positive = sum(rest) or 1.0
    row = [-below, *(value / positive * (1 + below) for value in rest)]
    if not any(rest):
        row = [-below, 1 + below, 0.0, 0.0]
    assert abs(sum(row) - 1) < 0.01
    assert await voted(row) == [ABSTAINED]
