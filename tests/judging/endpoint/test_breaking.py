"""An endpoint that breaks in every way: tickets are judged rightly or not at all."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from streamer.errors import OutsideFault, TicketError
from streamer.judging.judge import EngineDead
from tests.judging.endpoint.conftest import LABELS, TASK, labelled, met
from tests.judging.endpoint.served import Break, Served

TEXTS = [f"{name} {number}" for number in range(5) for name in LABELS.labels]
SAID = [text.split()[0] for text in TEXTS]
POISON = "billing poison"
OFTEN: tuple[Break, ...] = ("error", "garbage", "nonsense", "half", "reset")


async def all_labelled(judge: object, texts: list[str]) -> list[str]:
    """Each text by itself and all at once, as the service asks."""
    found = await asyncio.gather(*(labelled(judge, text) for text in texts))
    return [label for (label,) in found]


def first(count: int, broken: Break) -> Callable[[str, str], Break | None]:
    """The first requests from now on are broken."""
    left = iter(range(count))
    return lambda path, text: broken if next(left, None) is not None else None


def only(broken: Break) -> Callable[[str, str], Break | None]:
    return lambda path, text: broken if "poison" in text else None


@pytest.mark.parametrize("broken", [*OFTEN, "busy", "later", "hang", "refuse", "moved"])
async def test_what_breaks_for_a_while_is_asked_again(served: Served, broken: Break) -> None:
    async with met(served, address={"timeout": 0.3, "in_flight": 4}) as judge:
        served.breaks = first(6, broken)
        assert await all_labelled(judge, TEXTS) == SAID


async def test_who_asks_for_a_pause_gets_one(served: Served) -> None:
    async with met(served) as judge:
        before = len(served.asked)
        served.breaks = first(1, "busy")
        assert await all_labelled(judge, TEXTS[:1]) == SAID[:1]
        # One that was told to wait, and then the two that judge a ticket.
        assert len(served.asked) - before == 3


async def test_no_more_are_open_than_are_allowed(served: Served) -> None:
    served.takes = 0.01
    async with met(served, address={"in_flight": 3}) as judge:
        served.most_open = 0
        assert await all_labelled(judge, TEXTS) == SAID
        assert served.most_open <= 3
        waiting = [asyncio.create_task(labelled(judge, text)) for text in TEXTS]
        await asyncio.sleep(0.02)
        assert judge.full
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert not judge.full


@pytest.mark.parametrize("broken", [*OFTEN, "hang"])
async def test_a_ticket_that_alone_gets_no_answer_is_set_aside(
    served: Served, broken: Break
) -> None:
    async with met(served, address={"timeout": 0.1}) as judge:
        served.breaks = only(broken)
        poisoned, others = await asyncio.gather(
            labelled(judge, POISON), all_labelled(judge, TEXTS), return_exceptions=True
        )
        assert isinstance(poisoned, TicketError)
        assert poisoned.reason == "failed_at_the_judge"
        assert others == SAID
        assert "poison" not in str(poisoned)


@pytest.mark.parametrize("broken", ["refuse", "moved"])
async def test_a_ticket_that_alone_is_refused_is_set_aside_and_never_sent_elsewhere(
    served: Served, broken: Break
) -> None:
    async with met(served) as judge:
        served.breaks = only(broken)
        with pytest.raises(TicketError) as refused:
            await labelled(judge, POISON)
        assert refused.value.reason == "refused_by_the_judge"
        assert await all_labelled(judge, TEXTS) == SAID


async def test_a_ticket_that_takes_the_endpoint_down_each_time_ends_the_process(
    served: Served,
) -> None:
    down = iter(())

    def breaks(path: str, text: str) -> Break | None:
        nonlocal down
        if "poison" in text:
            down = iter(range(3))
            return "reset"
        return "error" if next(down, None) is not None else None

    async with met(served) as judge:
        served.breaks = breaks
        with pytest.raises(EngineDead, match="3 times") as dead:
            await labelled(judge, POISON)
        # It is the ticket's fault, for all that is known: the next process tries it alone.
        assert not isinstance(dead.value, OutsideFault)


async def test_an_outage_holds_tickets_and_sets_none_aside() -> None:
    served = Served()
    async with AsyncExitStack() as stack, AsyncExitStack() as life:
        await life.enter_async_context(served.running())
        port = int(served.url.rpartition(":")[2])
        judge = await stack.enter_async_context(met(served, address={"timeout": 0.3}))
        served.takes = 0.2
        waiting = asyncio.create_task(all_labelled(judge, TEXTS))
        await asyncio.sleep(0.1)
        await life.aclose()
        await asyncio.sleep(0.5)
        assert not waiting.done()
        served.takes = 0
        await life.enter_async_context(served.running(port=port))
        assert await waiting == SAID


async def test_an_outage_costs_one_request_at_a_time(served: Served) -> None:
    async with met(served) as judge:
        served.breaks = lambda path, text: "error"
        waiting = asyncio.create_task(all_labelled(judge, TEXTS))
        await asyncio.sleep(0.2)
        served.most_open, before = 0, len(served.asked)
        more = asyncio.create_task(all_labelled(judge, TEXTS))
        await asyncio.sleep(1.0)
        assert served.most_open <= 1
        assert 0 < len(served.asked) - before < len(TEXTS)
        served.breaks = lambda path, text: None
        assert await waiting == SAID
        assert await more == SAID


async def test_a_key_that_goes_and_comes_back_sets_nothing_aside(served: Served) -> None:
    async with met(served) as judge:
        for _ in range(3):
            served.key = "another"
            waiting = asyncio.create_task(all_labelled(judge, TEXTS[:3]))
            await asyncio.sleep(0.3)
            served.key = None
            assert await waiting == SAID[:3]


async def test_a_storm_of_failures_spoils_no_ticket(served: Served) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    kinds = [*OFTEN, "busy", "later"]
    async with met(served, address={"timeout": 0.3}) as judge:
        served.breaks = lambda path, text: draw.choice(kinds) if draw.random() < 0.2 else None
        assert await all_labelled(judge, TEXTS) == SAID


async def test_answers_of_another_model_are_not_taken(served: Served) -> None:
    async with met(served) as judge:
        await judge.healthy()
        served.build = "vllm-0.32.0-ffffffff"
        with pytest.raises(EngineDead, match="-ffffffff") as changed:
            await labelled(judge, TEXTS[0])
        # No ticket's fault: none must be set aside because of it.
        assert isinstance(changed.value, OutsideFault)
        with pytest.raises(EngineDead):
            await judge.healthy()


async def test_a_build_that_says_nothing_of_the_model_may_change(served: Served) -> None:
    served.build = "fp_1"
    async with met(served) as judge:
        assert judge.version(TASK, LABELS.version).startswith("toy-")
        served.build = "fp_2"
        assert await labelled(judge, TEXTS[0]) == SAID[:1]


async def test_a_key_that_is_taken_back_ends_the_process_after_a_while(served: Served) -> None:
    async with met(served, refused_for=0.3) as judge:
        served.key = "another"
        with pytest.raises(EngineDead, match="refuses what it took at start") as refused:
            await labelled(judge, TEXTS[0])
        assert isinstance(refused.value, OutsideFault)
        with pytest.raises(EngineDead):
            await judge.healthy()


async def test_who_waits_hears_when_the_judge_is_stopped(served: Served) -> None:
    async with met(served) as judge:
        served.breaks = lambda path, text: "error"
        waiting = asyncio.create_task(labelled(judge, TEXTS[0]))
        await asyncio.sleep(0.3)
        await judge.stop()
        with pytest.raises(EngineDead):
            await waiting
