"""How many tokens are in the engine at once, whatever comes and is given up."""

import asyncio
import os
import random

from streamer.judging.engine.token_budget import TokenBudget

LIMIT = 100


async def test_the_bound_holds_and_everyone_comes_through() -> None:
    seed = int(os.environ.get("STREAMER_SEED", "1"))
    print(f"seed {seed}")
    chance, budget = random.Random(seed), TokenBudget(LIMIT)
    inside: dict[int, int] = {}
    through = 0

    async def one(number: int, tokens: int) -> None:
        nonlocal through
        async with budget.spend(tokens):
            inside[number] = tokens
            assert sum(inside.values()) <= LIMIT or len(inside) == 1
            for _ in range(chance.randint(1, 4)):
                await asyncio.sleep(0)
            del inside[number]
        through += 1

    sizes = [chance.choice([1, 7, 30, 60, 100, 250]) for _ in range(400)]
    tasks = [asyncio.create_task(one(number, size)) for number, size in enumerate(sizes)]
    given_up = chance.sample(tasks[50:], 40)
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        if given_up and chance.random() < 0.5 and not inside.keys() & {tasks.index(given_up[-1])}:
            given_up.pop().cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert through + sum(isinstance(end, asyncio.CancelledError) for end in ended) == len(sizes)
    assert not budget.exhausted
    async with asyncio.timeout(5), budget.spend(LIMIT):
        assert not budget.exhausted


async def test_it_is_exhausted_while_one_waits() -> None:
    budget = TokenBudget(LIMIT)
    async with budget.spend(LIMIT):
        waiting = asyncio.create_task(budget.spend(1).__aenter__())
        await asyncio.sleep(0)
        assert budget.exhausted
    await waiting
    assert not budget.exhausted
