"""The judge around an endpoint: its cap, its tasks, and what it tells."""

from contextlib import suppress

import pytest

from streamer.errors import ConfigError, TicketError
from streamer.judging.endpoint.address import Address
from streamer.judging.endpoint.endpoint_judge import EndpointJudge, Wanted
from streamer.judging.judge import OverBudget
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.model_call import ModelCall
from streamer.judging.surroundings import Surroundings
from streamer.judging.usage import counted
from tests.judging.endpoint.conftest import LABELS, TASK, labelled, met, prompts
from tests.judging.endpoint.served import Served, Way


async def test_tasks_share_an_endpoint_and_versions_tell_prompts_apart(served: Served) -> None:
    async with met(served, tasks=("intent", "mood")) as judge:
        versions = {judge.version(task, LABELS.version) for task in ("intent", "mood")}
        assert all(version.startswith("toy@vllm-0.32.0-0a1b2c3d-") for version in versions)
        assert await labelled(judge, "shipping", task="mood") == ["shipping"]
        assert judge.label_sets("none") == ()


@pytest.mark.parametrize("way", ["exact", "listed", "said"])
async def test_a_model_that_would_rather_say_something_else_is_refused_at_start(way: Way) -> None:
    form = Form(codes="letters", max_ticket_tokens=256, min_coverage=0.97)
    async with Served((way,)).running() as served, met(served, form=form) as judge:
        if way == "said":
            await judge.start()
            return
        with pytest.raises(ConfigError, match=r"0\.96 of its probability") as refused:
            await judge.start()
        assert "judge.min_coverage" in str(refused.value)
        # What it would rather answer is told where the server tells tokens.
        assert ("rather answer" in str(refused.value)) == (way == "exact")


async def test_what_is_not_held_is_a_dead_letter(served: Served) -> None:
    async with met(served, tokens_per_hour=1000) as judge:
        for task, label_set in (("none", LABELS.version), (TASK, "of-before")):
            with pytest.raises(TicketError):
                await judge.score(task, label_set, ["billing"])


async def test_over_the_cap_nothing_is_asked_and_what_happens_is_told(served: Served) -> None:
    left: list[float] = []
    acts: list[bool] = []
    tokens: list[int] = []
    outcomes: list[str] = []

    def capped(rest: float, spent: float, suspended: bool) -> None:
        left.append(rest)
        acts.append(suspended)

    judge = await EndpointJudge.met(
        Address(url=served.url),
        Wanted(
            labels={TASK: LABELS},
            prompts=lambda tasks: prompts(),
            form=Form(codes="letters", max_ticket_tokens=256),
            tokens_per_hour=10_000,
        ),
        Surroundings(asked=outcomes.append, charged=tokens.append, capped=capped),
        patience=5.0,
    )
    try:
        while not judge.full:
            with suppress(OverBudget):
                await labelled(judge, "billing")
        before = len(served.asked)
        with pytest.raises(OverBudget):
            await labelled(judge, "billing")
        assert len(served.asked) == before
        assert acts[-1]
        # A tenth of the cap, and what a ticket costs more than was guessed of the first one.
        assert 0 < sum(tokens) <= 1000 + 2 * max(tokens)
        assert set(outcomes) == {"answered", "refused"}
    finally:
        await judge.stop()


@pytest.mark.parametrize("way", ["classes", "exact", "listed", "said"])
async def test_tokens_are_counted_as_the_server_tells_them(way: Way) -> None:
    async with Served((way,), classes=LABELS.labels).running() as served, met(served) as judge:
        with counted() as unsaid:
            await labelled(judge, "billing " * 40)
        served.cached = 7
        with counted() as said:
            await labelled(judge, "billing " * 40)
    assert said.prompts == unsaid.prompts >= 80
    assert (unsaid.cached, said.cached) == (0, 7)
    assert said.charged == said.prompts + said.answers == said.prompts + 1


@pytest.mark.parametrize(
    ("way", "build", "operation", "provider"),
    [
        ("exact", "vllm-0.32.0-0a1b2c3d", "text_completion", "vllm"),
        ("listed", "fp_44709d6fcb", "chat", "openai"),
        ("said", None, "chat", "openai"),
    ],
)
async def test_calls_are_told_in_the_words_of_the_conventions(
    way: Way, build: str | None, operation: str, provider: str
) -> None:
    async with Served((way,), build=build).running() as served, met(served) as judge:
        with counted() as usage:
            await labelled(judge, "billing")
        assert usage.call == ModelCall(
            operation=operation,
            provider=provider,
            asked="toy",
            answered="toy",
            host="127.0.0.1",
            port=int(served.url.rpartition(":")[2]),
        )


async def test_a_classifiers_calls_generate_nothing() -> None:
    async with (
        Served(("classes",), classes=LABELS.labels).running() as served,
        met(served) as judge,
    ):
        with counted() as usage:
            await labelled(judge, "billing")
    assert usage.prompts
    assert usage.call is None
