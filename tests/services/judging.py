"""A scripted judge, and a judge handler around it."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.decide.sampling import drawn
from streamer.errors import TicketError
from streamer.judging.judge import EngineDead, Judge, JudgeScores
from streamer.judging.model_call import ModelCall
from streamer.judging.surroundings import Surroundings
from streamer.judging.usage import took
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.calibration import Calibration, Data, Estimate, Model, Wish
from streamer.records.judge_request import Ballot, JudgeRequest
from streamer.records.label import Label, Position, Rule, Vote
from streamer.records.labelset import LabelSet
from streamer.records.log import VerdictLog, log_from_json
from streamer.records.review import Review
from streamer.records.ticket import Ticket
from streamer.services.judge.judge_handler import JudgeHandler
from streamer.services.judge.judge_task import JudgeTask
from streamer.services.judge.lanes import Load
from streamer.services.judge.observing import Observing
from streamer.services.judge.publishing import JudgeOutputs, JudgePublisher
from streamer.services.judge.recent_results import RecentResults
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Emission
from tests.services.records import Rec

LABELS = LabelSet(("good", "bad", "ugly"))
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
OUTPUTS = JudgeOutputs("labels", "review", "log")
TASKS = ("mood", "why", "reason", "task0", "task1", "task2")


class Scripted:
    """Answers the label that a text begins with, or with the probabilities set for the text.

    It waits before each answer while the gate is closed. `takes` are tokens of each prompt, those
    of it that are cached, and of each answer; `call` is how a language model is called.
    """

    def __init__(self) -> None:
        self.loaded = "7"
        self.scored: list[str] = []
        self.vectors: dict[str, Sequence[float]] = {}
        self.coverage: dict[str, float] = {}
        self.takes: tuple[int, int, int] | None = None
        self.call: ModelCall | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.dead = False
        self.full = False

    async def start(self) -> None: ...

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        return (LABELS,)

    def version(self, task: str, label_set: str) -> str:
        return self.loaded

    async def score(
        self,
        task: str,
        label_set: str,
        texts: Sequence[str],
        trace_headers: Sequence[Mapping[str, str] | None] | None = None,
    ) -> JudgeScores:
        if label_set != LABELS.version:
            raise TicketError("unknown_label_set", label_set)
        if self.dead or "die" in texts:
            raise EngineDead("the engine died; look into its log")
        self.scored += texts
        await self.gate.wait()
        if self.takes is not None:
            took(*self.takes, self.call)
        found = np.array([self.vectors.get(text) or _sure(text) for text in texts], np.float32)
        known = np.array([self.coverage.get(text, 1.0) for text in texts], np.float32)
        return JudgeScores(found, np.zeros(len(texts), bool), known if self.coverage else None)

    async def healthy(self) -> None:
        if self.dead:
            raise EngineDead("the engine died; look into its log")

    async def stop(self) -> None: ...


def _sure(text: str) -> list[float]:
    return [0.9 if text.split()[:1] == [label] else 0.05 for label in LABELS.labels]


def request(text: str, task: str = "mood", number: int = 1, **changed: object) -> JudgeRequest:
    given: dict[str, object] = {
        "ticket": Ticket(f"t{number}", text, "2026-01-01T00:00:00.000Z"),
        "task": task,
        "label_set": LABELS.version,
        "ballot": Ballot((Vote("w", "1", "bad", 0.5),), ((0.2, 0.5, 0.3),)),
        "rule": Rule("majority", 2, 2),
        "decision_id": f"{number}-{task}",
        "revision": 0,
        "purpose": "decide",
        "position": Position("support", "tickets", 3, number),
        "created_at": "2026-01-01T00:00:00.000Z",
        "traceparent": TRACEPARENT,
    }
    return JudgeRequest(**(given | changed))


def record(made: JudgeRequest | bytes, offset: int = 0, timestamp: int = 0) -> Rec:
    value = made if isinstance(made, bytes) else made.to_json()
    return Rec(value, b"key", offset, topic="tickets.judge", timestamp=timestamp)


def calibration(temperature: float, version: str | None = "7") -> Calibration:
    """Of task mood, for this version of the judge."""
    some = Estimate(0.5, 0.4, 0.6, 100)
    return Calibration(
        task="mood",
        label_set=LABELS.version,
        made_at="2026-01-01T00:00:00.000Z",
        data=Data("hash", 100, 0),
        models={},
        judge=Model(version, temperature),
        rule=Rule("majority", 2, 2),
        router=None,
        wish=Wish("judge rate", 0.1),
        guarantee=None,
        judge_rate=some,
        fidelity=some,
        accuracy=some,
    )


def decided(
    kind: str = "v3",
    alpha: float = 0.0,
    calibration: Calibration | None = None,
    review_below: float | None = None,
    min_coverage: float = 0.0,
) -> dict[str, JudgeTask]:
    """Every task, with this rule after the judge."""
    given = {
        "labels": LABELS.labels,
        "workers": ["one", "two"],
        "after": {"kind": kind, "alpha": alpha},
        "review_below": review_below,
    }
    task = Task.model_validate(given)
    return dict.fromkeys(TASKS, JudgeTask.of(task, calibration, min_coverage))


def loads(judge: Judge) -> Load:
    """Gives this judge to whoever asks for one."""

    async def load(settings: Settings, surroundings: Surroundings) -> Judge:
        return judge

    return load


class Run:
    """A handler and what it published, by topic."""

    def __init__(
        self,
        judge: Scripted | None = None,
        tasks: Mapping[str, JudgeTask] | None = None,
        log_share: float = 0.0,
        tracing: Tracing | None = None,
    ) -> None:
        self.judge = judge or Scripted()
        self.metrics = Metrics()
        tracing = tracing or Tracing("test", 0.0)
        logged = partial(drawn, salt="s", purpose="log", share=log_share)
        self.handler = JudgeHandler(
            judge=self.judge,
            publisher=JudgePublisher(OUTPUTS, tasks or decided(), logged),
            dead_letters=DeadLetters("dead", 2**20, on_letter=self.metrics.dead),
            recent=RecentResults(100),
            tracing=tracing,
            observing=Observing(self.metrics, tracing),
        )
        self.emissions: list[Emission] = []

    async def of(self, *batch: Rec | JudgeRequest) -> "Run":
        """What comes of one batch alone."""
        records = [
            item if isinstance(item, Rec) else record(item, place)
            for place, item in enumerate(batch)
        ]
        groups = [group async for group in self.handler.handle(records)]
        self.emissions = [x for group in groups for x in group if isinstance(x, Emission)]
        return self

    def to(self, topic: str) -> list[Emission]:
        return [emission for emission in self.emissions if emission.topic == topic]

    @property
    def labels(self) -> list[Label]:
        return [Label.from_json(e.value or b"") for e in self.to("labels")]

    @property
    def reviews(self) -> list[Review]:
        return [Review.from_json(e.value or b"") for e in self.to("review")]

    @property
    def logs(self) -> list[VerdictLog]:
        found = [log_from_json(e.value or b"") for e in self.to("log")]
        assert all(isinstance(log, VerdictLog) for log in found)
        return [log for log in found if isinstance(log, VerdictLog)]

    def metric(self, name: str, *labels: str) -> float:
        """The value of a metric with these label values; 0 where it has none."""
        for line in self.metrics.render().decode().splitlines():
            if line.startswith(name) and all(f'"{label}"' in line for label in labels):
                return float(line.split()[-1])
        return 0.0
