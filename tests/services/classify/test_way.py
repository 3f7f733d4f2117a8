"""How far a ticket has to go through the code, and so whoever reads along."""

from functools import partial

import numpy as np
import orjson
from numpy.typing import NDArray

from streamer.decide.sampling import Sampling
from streamer.decide.vote_result import Provenance
from streamer.decide.votes import VoteRule
from streamer.observe.measured import MeasuredConsumer
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.labelset import LabelSet
from streamer.services.classify.classify_handler import ClassifyHandler
from streamer.services.classify.observing import Observing
from streamer.services.classify.task import ClassifyTask
from streamer.services.classify.vote.calibrated_rule import CalibratedRule
from streamer.services.classify.vote.voting import Voting
from streamer.services.intake.ticket_reader import TicketReader
from streamer.stream.commits import Commits
from streamer.stream.dead_letters import DeadLetters
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Worker
from tests.services.making import OUTPUTS
from tests.services.records import Rec
from tests.way import HOUSE, Way, of_the_second, walked

LABELS = LabelSet(("billing", "shipping", "account"))
NAMES = ("0", "1", "2")


class Triton:
    """Each model names the label behind its number in a text such as `0 1 1`, else the first."""

    async def most_rows(self, *_: object) -> int:
        return 1000

    async def labels(self, *_: object) -> tuple[str, tuple[str, ...]]:
        return "1", LABELS.labels

    async def infer(
        self, model: str, tensor: TextTensor, *_: object, **__: object
    ) -> tuple[str, NDArray[np.float32]]:
        probs = np.full((len(tensor), 3), 0.05, np.float32)
        for row, text in enumerate(tensor.texts):
            label_ids = text.split()
            probs[row, int(label_ids[int(model)]) if label_ids[0].isdigit() else 0] = 0.9
        return "1", probs


async def made(
    measured: MeasuredConsumer, metrics: Metrics, dead_letters: DeadLetters
) -> tuple[ClassifyHandler, Commits]:
    """Three workers that have shaken hands, and a majority of them decides."""
    tracing = Tracing("test", 0.01)
    observing = Observing(metrics, tracing)
    workers = [Worker(Triton(), name, LABELS.labels) for name in NAMES]
    for worker in workers:
        await worker.start()
    rule = VoteRule("majority", 3)
    rules = [CalibratedRule(rule, Provenance(rule.described(NAMES)))]
    voting = Voting([observing.counted(worker) for worker in workers], rules, "wait")
    handler = ClassifyHandler(
        source="support",
        ticket_reader=TicketReader(),
        tasks=[ClassifyTask("intent", LABELS, voting)],
        outputs=OUTPUTS,
        dead_letters=dead_letters,
        tracing=tracing,
        observing=observing,
        sampling=Sampling("salt"),
        part=lambda: 1.0,
    )
    return handler, Commits(measured)


def way(text: str) -> Way:
    record = Rec(orjson.dumps({"id": "t1", "text": text}), b"t1")
    return of_the_second(partial(walked, record, made))


def test_the_way_of_an_agreed_ticket_does_not_grow() -> None:
    found = way("0 0 0")
    assert found.topics == {"labels"}
    assert found.within(51, 170, 69)


def test_the_way_of_a_deferred_ticket_does_not_grow() -> None:
    found = way("0 1 2")
    assert found.topics == {"judge"}
    assert found.within(56, 180, 72)


def test_no_function_on_the_way_has_more_than_25_lines() -> None:
    found = way("0 0 0")
    long = {f"{each.file} {each.name}": each.lines for each in found.functions if each.lines > 25}
    assert not long


def test_no_file_on_the_way_is_long() -> None:
    found = way("0 0 0")
    lines = {file: len((HOUSE / file).read_text().splitlines()) for file in found.files}
    long = {file: count for file, count in lines.items() if count > 300}
    # Each is one thought; in two files the way between them would come on top.
    assert long.keys() <= {"observe/metrics.py", "stream/engine.py"}, long
