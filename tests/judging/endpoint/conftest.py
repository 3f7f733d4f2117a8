"""Judges behind endpoints that tests start and break."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from streamer.judging.endpoint import endpoint
from streamer.judging.endpoint.address import Address
from streamer.judging.endpoint.endpoint_judge import EndpointJudge, Wanted
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import Prompt, Prompts
from streamer.judging.surroundings import Surroundings
from streamer.records.labelset import LabelSet
from tests.judging.endpoint.served import Served

LABELS = LabelSet(("account", "billing", "shipping", "technical"))
TASK = "intent"


def prompts(labels: LabelSet = LABELS, tasks: Sequence[str] = (TASK,)) -> Prompts:
    """A prompt per task that says of each label what everybody knows."""
    lines = tuple(f"tickets about {name}" for name in labels.labels)
    return {task: (Prompt(task, labels, "You sort tickets.", lines),) for task in tasks}


@asynccontextmanager
async def met(
    served: Served,
    *,
    labels: LabelSet = LABELS,
    tasks: Sequence[str] = (TASK,),
    form: Form | None = None,
    address: Mapping[str, Any] | None = None,
    told: Callable[[str], None] = lambda line: None,
    patience: float | None = 5.0,
    found: Prompts | None = None,
    **wanted: Any,
) -> AsyncIterator[EndpointJudge]:
    """A judge at a server that runs; `found` are its prompts, if not the plain ones."""
    held = found or prompts(labels, tasks)
    judge = await EndpointJudge.met(
        Address(**{"url": served.url, "timeout": 20.0, **(address or {})}),
        Wanted(
            labels=dict.fromkeys(tasks, labels),
            prompts=lambda some: {task: held[task] for task in some},
            form=form or Form(codes="letters", max_ticket_tokens=256),
            **wanted,
        ),
        Surroundings(tell=told),
        patience,
    )
    try:
        yield judge
    finally:
        await judge.stop()


async def labelled(judge: EndpointJudge, *texts: str, task: str = TASK) -> list[str]:
    """The likeliest label of each text."""
    (held, *_) = judge.label_sets(task)
    scores = await judge.score(task, held.version, texts)
    return [held.labels[place] for place in scores.probabilities.argmax(axis=1)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is asked again without a pause."""
    monkeypatch.setattr(endpoint, "AGAIN", 0.0)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with Served().running() as server:
        yield server
