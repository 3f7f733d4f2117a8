"""What stages came to is counted whatever happens after them, and while they wait."""

import asyncio
import math
from collections.abc import Sequence
from contextlib import aclosing

import numpy as np
import pytest

from streamer.decide.sampling import Sampling
from streamer.decide.vote_result import Provenance
from streamer.decide.votes import VoteRule
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.labelset import LabelSet
from streamer.services.classify.classify_handler import ClassifyHandler
from streamer.services.classify.observing import Observing
from streamer.services.classify.task import ClassifyTask
from streamer.services.classify.vote import voting
from streamer.services.classify.vote.calibrated_rule import CalibratedRule
from streamer.services.classify.vote.voting import Voting
from streamer.services.intake.ticket_reader import TicketReader
from streamer.stream.dead_letters import DeadLetters
from streamer.workers.faults import WorkerOut
from streamer.workers.wire import TextTensor
from streamer.workers.worker import WorkerAnswer
from tests.services.making import OUTPUTS
from tests.services.records import Rec, ticket

NAMES = ("one", "two", "three")
LABELS = LabelSet(("good", "bad"))


class Says:
    """Answers this row for every text; without one it is out."""

    def __init__(self, model: str, row: Sequence[float] | None) -> None:
        self.model = model
        self.row = row

    async def answer(self, tensor: TextTensor, traceparent: str | None = None) -> WorkerAnswer:
        await asyncio.sleep(0)
        if self.row is None:
            raise WorkerOut(self.model, 1.0, None)
        return WorkerAnswer("1", np.tile(np.array(self.row, np.float32), (len(tensor), 1)))


class Run:
    """Three workers that answer these rows, and a handler that asks them."""

    def __init__(self, *rows: Sequence[float] | None) -> None:
        self.workers = [Says(name, row) for name, row in zip(NAMES, rows, strict=True)]
        self._metrics, tracing = Metrics(["mood"], NAMES), Tracing("test", 0.0)
        observing = Observing(self._metrics, tracing)
        rule = VoteRule("majority", 3)
        terms = [CalibratedRule(rule, Provenance(rule.described(NAMES)))]
        counted = [observing.counted(worker) for worker in self.workers]
        self.handler = ClassifyHandler(
            source="support",
            ticket_reader=TicketReader(),
            tasks=[ClassifyTask("mood", LABELS, Voting(counted, terms, "wait"))],
            outputs=OUTPUTS,
            dead_letters=DeadLetters("dead", 2**20),
            tracing=tracing,
            observing=observing,
            sampling=Sampling("salt"),
        )

    async def of(self, *batch: Rec) -> None:
        async for _ in self.handler.handle(batch):
            pass

    def says(self, line: str) -> float:
        """What the metrics say on the line that begins so; 0 where there is none."""
        rows = self._metrics.render().decode().splitlines()
        return sum(float(row.split()[-1]) for row in rows if row.startswith(line))


async def test_who_is_out_is_counted_again_and_again_while_its_tickets_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(voting, "OUTAGE_PAUSE", 0)
    run = Run([0.9, 0.1], None, None)
    handling = asyncio.create_task(run.of(ticket("a"), ticket("b")))
    out = 'streamer_abstentions_total{reason="outage",worker="two"}'
    for _ in range(100):
        await asyncio.sleep(0)
    assert (run.says(out) > 6, handling.done()) == (True, False)
    assert run.says('streamer_worker_calls_total{worker="one"}') == 1
    run.workers[1].row = [0.8, 0.2]
    await handling
    assert run.says('streamer_worker_rows_total{worker="two"}') == 2
    assert run.says('streamer_labels_total{source="workers",task="mood"}') == 2


@pytest.mark.parametrize("taken", [0, 1])
async def test_what_was_decided_is_counted_though_nothing_more_of_the_batch_is_done(
    taken: int,
) -> None:
    run = Run([0.9, 0.1], [0.9, 0.1], [0.1, 0.9])
    async with aclosing(run.handler.handle([ticket("a"), ticket("b")])) as groups:
        if taken:
            await anext(groups)
    for line in (
        'streamer_labels_total{source="workers"',
        'streamer_published_total{label="good"',
        'streamer_decisions_total{outcome="accepted"',
        'streamer_ballots_total{task="mood",vote="given",worker="one"',
        'streamer_agreements_total{agreed="yes",one="one",other="two"',
    ):
        assert run.says(line) == 2 * taken, line


async def test_what_is_deferred_is_counted_before_its_request_leaves() -> None:
    run = Run([0.9, 0.1], [0.1, 0.9], [math.nan, 0.1])
    async with aclosing(run.handler.handle([ticket("a")])) as groups:
        await anext(groups)
    assert run.says('streamer_deferred_total{reason="disagreement",task="mood"}') == 1
    assert run.says('streamer_abstentions_total{reason="unusable",worker="three"}') == 1
    assert run.says('streamer_ballots_total{task="mood",vote="abstained",worker="three"}') == 1


async def test_rows_that_are_no_distribution_are_counted_once_for_each_worker() -> None:
    run = Run([math.nan, 0.1], [0.9, 0.1], [0.9, 0.1])
    await run.of(ticket("a"), ticket("b"), ticket("c"))
    assert run.says('streamer_abstentions_total{reason="unusable",worker="one"}') == 3
    assert run.says("streamer_abstentions_total") == 3
