"""Makes classify handlers with real workers on a real Triton, and runs batches through them."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import pytest

from streamer.decide.budget import JudgeBudget
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.sampling import Sampling
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.vote_result import Provenance
from streamer.decide.votes import VoteRule
from streamer.dev.triton import Triton
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from streamer.records.labelset import LabelSet
from streamer.services.classify.classify_handler import ClassifyHandler
from streamer.services.classify.observing import Observing
from streamer.services.classify.publish.outputs import Outputs
from streamer.services.classify.route.routes import Routes
from streamer.services.classify.task import ClassifyTask, Condition
from streamer.services.classify.vote.calibrated_rule import CalibratedRule
from streamer.services.classify.vote.shadows import Shadow, Shadows, Trial
from streamer.services.classify.vote.voting import Voting
from streamer.services.intake.ticket_reader import TicketReader
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Barrier, Emission, Settled
from streamer.workers.triton import TritonClient
from streamer.workers.worker import Worker
from tests.conftest import ECHO_LABELS, ECHO_MODELS
from tests.services.records import Rec

OUTPUTS = Outputs("labels", "judge", "audit", "review", "log")
MakeHandler = Callable[..., "Run"]


class Run:
    """A handler and what it gave for one batch."""

    def __init__(self, handler: ClassifyHandler, metrics: Metrics) -> None:
        self._handler = handler
        self.metrics = metrics
        self.groups: list[Sequence[Emission | Settled]] = []

    async def of(self, *batch: Rec) -> "Run":
        groups = [group async for group in self._handler.handle(batch)]
        self.barriers = [place for place, group in enumerate(groups) if isinstance(group, Barrier)]
        self.groups = [[] if isinstance(group, Barrier) else list(group) for group in groups]
        return self

    @property
    def items(self) -> list[Emission | Settled]:
        return [item for group in self.groups for item in group]

    @property
    def labels(self) -> list[Label]:
        return [Label.from_json(e.value) for e in self.to("labels") if e.value is not None]

    @property
    def requests(self) -> list[JudgeRequest]:
        return [JudgeRequest.from_json(e.value or b"") for e in self.to("judge")]

    @property
    def dead(self) -> list[Emission]:
        return self.to("dead")

    @property
    def settled(self) -> list[Settled]:
        return [item for item in self.items if isinstance(item, Settled)]

    def to(self, topic: str) -> list[Emission]:
        return self.among(self.items, topic)

    @staticmethod
    def among(items: Iterable[Emission | Settled], topic: str) -> list[Emission]:
        return [item for item in items if isinstance(item, Emission) and item.topic == topic]

    def asked(self, worker: str) -> int:
        """Tickets that a worker was asked about."""
        line = f'streamer_worker_rows_total{{worker="{worker}"}}'
        found = [row for row in self.metrics.render().decode().splitlines() if line in row]
        return int(float(found[0].split()[-1])) if found else 0


@pytest.fixture
async def make(triton_echo: Triton) -> AsyncIterator[MakeHandler]:
    client = TritonClient(triton_echo.url)

    def handler(
        tasks: dict[str, Condition | None] | None = None,
        workers: Sequence[str] = ECHO_MODELS,
        rule: DeferralRule | None = None,
        sampling: Sampling | None = None,
        policy: ServingPolicy | None = None,
        budget: JudgeBudget | None = None,
        verify: float = 0.0,
        needs_ensemble: bool = False,
        trials: Sequence[Trial] = (),
        tracing: Tracing | None = None,
        routing: Callable[[Sequence[Worker], Observing], Routes] | None = None,
        **intake: object,
    ) -> Run:
        metrics = Metrics(tasks=[], workers=[])
        traced = tracing or Tracing("test", 0.0)
        observing = Observing(metrics, traced)
        met = [Worker(client, name, ECHO_LABELS) for name in workers]
        chosen = rule or VoteRule("majority", len(met))
        terms = CalibratedRule(chosen, Provenance(chosen.described(workers)))
        voting = Voting([observing.counted(worker) for worker in met], [terms], "wait")
        shadows = [Shadow(client, trial, ECHO_LABELS) for trial in trials]
        made = [
            ClassifyTask(
                name,
                LabelSet(ECHO_LABELS),
                voting,
                condition,
                policy or ServingPolicy(),
                budget=budget,
                needs_ensemble=needs_ensemble,
                verify=verify,
                shadows=Shadows(shadows, "salt") if shadows else None,
                routes=routing(met, observing) if routing else None,
            )
            for name, condition in (tasks or {"intent": None}).items()
        ]
        dead = DeadLetters("dead", 2**20, on_letter=metrics.dead)
        built = ClassifyHandler(
            source="support",
            ticket_reader=TicketReader(**intake),
            tasks=made,
            outputs=OUTPUTS,
            dead_letters=dead,
            tracing=traced,
            observing=observing,
            sampling=sampling or Sampling("salt"),
        )
        return Run(built, metrics)

    yield handler
    await client.close()


def votes(*label_ids: int) -> str:
    """A text on which echo_a, echo_b and echo_c vote like this; -1 abstains."""
    marks = [f"#{name}={code}" for name, code in zip(ECHO_MODELS, label_ids, strict=False)]
    return "please help " + " ".join(marks)
