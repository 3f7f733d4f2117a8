"""What becomes of answers that are no numbers; no engine is needed for that."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from streamer.errors import ModelError, TicketError
from streamer.judging.engine.engine_judge import EngineJudge
from streamer.judging.judge import EngineDead, Headers, JudgeScores
from streamer.records.labelset import LabelSet
from tests.services.judging import LABELS, Run, Scripted, record, request

NAN = float("nan")


class Odd(EngineJudge):
    """Has no number for a text that says so, or for anything once it is `broken`."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__([], ["mood"])
        self.broken = broken

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        return (LABELS,)

    def version(self, task: str, label_set: str) -> str:
        return "7"

    async def score(
        self, task: str, label_set: str, texts: Sequence[str], trace_headers: Headers = None
    ) -> JudgeScores:
        odd = self.broken or any("odd" in text for text in texts)
        rows = [[NAN] * 3 if odd else [0.9, 0.05, 0.05] for _ in texts]
        return self._answer(np.array(rows, np.float32), [False] * len(texts))


async def said(judge: Odd, text: str) -> JudgeScores:
    return await judge.score("mood", LABELS.version, [text])


async def test_it_is_that_tickets_dead_letter_and_its_neighbours_are_labelled() -> None:
    batch = [record(request("odd" if n == 3 else "good", number=n), n) for n in range(6)]
    run = await Run(cast(Scripted, Odd())).of(*batch)
    assert len(run.labels) == 5
    (letter,) = run.to("dead")
    assert letter.value == batch[3].value
    assert dict(letter.headers)["dead.reason"] == b"no_probabilities"


async def test_many_in_a_row_are_the_judges_own_fault() -> None:
    judge = Odd()
    for _ in range(3):
        for _ in range(19):
            with pytest.raises(TicketError, match="not numbers"):
                await said(judge, "odd")
        await said(judge, "good")
    for _ in range(19):
        with pytest.raises(TicketError):
            await said(judge, "odd")
    with pytest.raises(EngineDead, match="last 20 answers"):
        await said(judge, "odd")


async def test_a_judge_that_has_no_numbers_from_the_start_does_not_start() -> None:
    await Odd().start()
    with pytest.raises(ModelError, match="its own first tickets"):
        await Odd(broken=True).start()
