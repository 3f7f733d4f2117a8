"""The judge, with its real engine, is killed while it works: nothing is lost."""

import asyncio
import csv
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from tests.conftest import ECHO_LABELS, ECHO_MODELS
from tests.slow.storm import Storm, report
from tests.stage import JUDGE_PYTHON, Stage, Wire, streamer, ticket

pytestmark = pytest.mark.slow

TICKETS = 5000
HITS = 3
KILLS_AT_MOST = 10
SEED = 20_251

ABOUT = {
    "account": ("my password", "the login", "our user profile", "the account settings"),
    "billing": ("the invoice", "a double charge", "the refund", "our credit card"),
    "shipping": ("the parcel", "a late delivery", "the courier", "the shipping address"),
    "technical": ("an error message", "the crash", "the slow page", "a failing export"),
}
ASKED = ("I write about {}.", "Please help with {}!", "What happened to {}?", "{} again, since {n}")


def text(number: int) -> tuple[str, str]:
    """A made-up text and its label."""
    label = ECHO_LABELS[number % len(ECHO_LABELS)]
    things = ABOUT[label]
    thing = things[number // 4 % len(things)]
    return ASKED[number // 16 % len(ASKED)].format(thing, n=number) + f" Case {number}.", label


def deferred(number: int) -> Wire:
    return ticket(number, text(number)[0] + " #echo_a=0 #echo_b=1 #echo_c=2")


@pytest.fixture
def stage(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> Iterator[Stage]:
    with (tmp_path / "train.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *map(text, range(400))])
    data = {"train": "train.csv", "label": "label"}
    intent = {"labels": list(ECHO_LABELS), "workers": list(ECHO_MODELS), "data": data}
    judge = {"python": str(JUDGE_PYTHON), "models": "judge"}
    blocks = {"tasks": {"intent": intent}, "judge": judge}
    with Stage(tmp_path, kafka, triton_echo.url, blocks) as made:
        yield made


async def test_every_deferred_ticket_has_one_label_after_three_kills(stage: Stage) -> None:
    print(f"seed {SEED}")
    await stage.make_topics(partitions=2)
    trained = await asyncio.to_thread(
        streamer, "train", "judge", "--config", str(stage.config), within_s=400
    )
    assert trained.returncode == 0, trained.stderr
    classify = stage.service()
    await classify.started()
    await stage.feed(map(deferred, range(TICKETS)))
    await stage.drained()
    assert await classify.stopped() == 0

    judge = stage.service("judge", member="judge")
    storm = Storm(stage, judge, seed=SEED)
    began = time.monotonic()
    await judge.started(400)
    await storm.rage(
        lambda: storm.hits >= HITS or len(storm.kills) >= KILLS_AT_MOST, every=(0.0, 0.5)
    )
    await stage.drained(600, "judge")
    print(f"{time.monotonic() - began:.0f} s, back at work within {storm.longest_return:.1f} s")

    account = await stage.account()
    hits = report(account, ["intent"], storm.kills)
    assert account.unaccounted(["intent"]) == {}
    assert account.totals(["intent"]) == {"label": TICKETS}
    assert sum(hit > 0 for hit in hits) >= HITS
    assert account.repeats > 0
    assert await judge.stopped() == 0
