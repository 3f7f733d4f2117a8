"""What is published while the judge may not be asked, and what waits for it."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from streamer.judging.judge import JudgeScores, OverBudget
from streamer.records.judge_request import Follower
from streamer.services.judge import judge_handler
from tests.services.judging import Run, Scripted, request
from tests.waiting import soon


class Spent(Scripted):
    """It may be asked `allowed` times more."""

    def __init__(self, allowed: int = 0) -> None:
        super().__init__()
        self.allowed = allowed
        self.refused = 0

    async def score(
        self,
        task: str,
        label_set: str,
        texts: Sequence[str],
        trace_headers: Sequence[Mapping[str, str] | None] | None = None,
    ) -> JudgeScores:
        if self.allowed <= 0:
            self.refused += 1
            raise OverBudget("spent")
        self.allowed -= 1
        return await super().score(task, label_set, texts, trace_headers)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_handler, "ROOM_AGAIN", 0.01)


async def test_over_the_cap_the_workers_own_label_stands_in() -> None:
    run = Run(Spent(), log_share=1.0)
    asked = request("ugly thing", candidate="bad", ensemble=(0.2, 0.7, 0.1), calibration="c1")
    (label,) = (await run.of(asked)).labels
    assert (label.label, label.source, label.final, label.judge) == ("bad", "fallback", True, None)
    assert (label.confidence, label.verdict, label.after) == (0.7, None, None)
    assert (label.decision_id, label.position) == (asked.decision_id, asked.position)
    (log,) = run.logs
    assert (log.vector, log.judge, log.missing) == (None, None, "budget")
    assert (log.published, log.source) == ("bad", "fallback")
    assert run.metric("streamer_labels_total", "mood", "fallback") == 1
    assert run.metric("streamer_verdicts_total", "mood", "decide") == 0


async def test_without_their_distribution_it_says_no_confidence() -> None:
    (label,) = (await Run(Spent()).of(request("good", candidate="bad"))).labels
    assert label.confidence is None


async def test_what_was_published_first_becomes_final() -> None:
    asked = request("good", purpose="verify", candidate="bad")
    (label,) = (await Run(Spent()).of(asked)).labels
    assert (label.revision, label.final, label.source) == (1, True, "fallback")


async def test_followers_go_by_the_label_that_stands_in() -> None:
    run = Run()
    child = (await run.of(request("good", "why", 8))).labels[0]
    followers = (
        Follower(("bad",), label=child),
        Follower(("good",), request=request("ugly", "reason")),
        Follower(("bad",), request=request("ugly", "reason", candidate="good")),
    )
    asked = request("good", number=3, candidate="bad", followers=followers)
    found = (await Run(Spent()).of(asked)).labels
    assert [(label.task, label.label) for label in found] == [
        ("mood", "bad"),
        ("why", "good"),
        ("reason", "good"),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"candidate": None},
        {"candidate": "bad", "purpose": "audit", "uniform": True},
        {"candidate": "bad", "backfill": "b1"},
    ],
)
async def test_what_nobody_has_a_label_for_audits_and_old_tickets_wait(
    changed: Mapping[str, object],
) -> None:
    judge = Spent()
    run = Run(judge)
    waiting = asyncio.create_task(run.of(request("ugly thing", **changed)))
    assert await soon(lambda: judge.refused >= 3)
    assert not waiting.done()
    judge.allowed = 1
    await waiting
    assert judge.scored == ["ugly thing"]
    assert run.emissions


async def test_a_judge_that_names_a_label_alone_says_no_confidence() -> None:
    class Naming(Scripted):
        async def score(
            self,
            task: str,
            label_set: str,
            texts: Sequence[str],
            trace_headers: Sequence[Mapping[str, str] | None] | None = None,
        ) -> JudgeScores:
            found = await super().score(task, label_set, texts, trace_headers)
            return JudgeScores(
                (found.probabilities == 0.9).astype("float32"), found.truncated, known=False
            )

    run = Run(Naming(), log_share=1.0)
    (label,) = (await run.of(request("ugly thing", candidate="bad"))).labels
    assert (label.label, label.source, label.confidence) == ("ugly", "judge", None)
    assert run.logs[0].vector == (0.0, 0.0, 1.0)
    assert run.reviews == []
