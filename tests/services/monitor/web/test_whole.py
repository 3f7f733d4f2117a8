"""The page of a real `streamer monitor`, over a real Kafka, with real workers behind it."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from playwright.async_api import Browser, Page, expect

from streamer.dev.kafka import Kafka
from streamer.dev.triton import Triton
from streamer.stream.topics import TopicSpec, create_topics
from tests.services.monitor.web.browser import opened
from tests.services.monitor.web.material import label
from tests.stage import BROKEN, Service, Stage, agreed, disputed, ticket

pytestmark = pytest.mark.asyncio(loop_scope="session")

TIMES = 5


class Whole:
    """A stage with its classify and monitor."""

    def __init__(self, stage: Stage, monitor: Service) -> None:
        self.stage = stage
        self.monitor = monitor


@pytest_asyncio.fixture(loop_scope="session")
async def whole(tmp_path: Path, kafka: Kafka, triton_echo: Triton) -> AsyncIterator[Whole]:
    with Stage(tmp_path, kafka, triton_echo.url) as stage:
        alone = (stage.topics.stats, stage.topics.alerts)
        await create_topics(kafka.bootstrap, [TopicSpec(name) for name in alone])
        await stage.make_topics()
        classify, monitor = stage.service("classify"), stage.service("monitor")
        monitor.start()
        await classify.started()
        await monitor.started()
        yield Whole(stage, monitor)


async def test_from_a_ticket_to_the_page(whole: Whole, chromium: Browser) -> None:
    stage = whole.stage
    async with opened(chromium, whole.monitor.url) as window:
        page = window.page
        await expect(page.locator("#connection")).to_contain_text("live")
        # Until its tail is at the end of the topic, what is published is old to it.
        await expect(page.locator("#newest-note")).to_have_text("")
        delays = [await delay(stage, page, f"live-{number}") for number in range(TIMES)]
        print("from publishing to the page, seconds:", ", ".join(f"{s:.2f}" for s in delays))

        hidden = "#label=1 my card is 4111 1111 1111 1111"
        await stage.feed([*map(agreed, range(40)), *map(disputed, range(40, 44)), BROKEN])
        await stage.feed([ticket("found", hidden)])
        await stage.drained()
        await expect(page.locator("#tasks-table tbody tr")).to_contain_text("intent")
        await expect(page.locator("#headline")).to_contain_text("1 classify process")
        await expect(page.locator("#distribution tbody tr")).to_have_count(4)
        await expect(page.locator("#agreement tbody tr")).to_have_count(3)
        await expect(page.locator("#sums")).to_contain_text("the judge was asked because")

        await page.get_by_label("Ticket id").fill("tfound")
        await page.keyboard.press("Enter")
        way = page.locator("#way")
        await expect(way.locator("h3")).to_have_text("Ticket tfound")
        await expect(way).to_contain_text("intent: billing")
        await expect(way).to_contain_text(f"{stage.topics.tickets}[")
        await expect(way).to_contain_text(f"{stage.topics.labels}[")
        await expect(way.get_by_role("region", name="Votes")).to_contain_text("echo_a")
        await expect(way).to_contain_text("waiting and voting")
        await expect(way).to_contain_text("trace id")
        await expect(way).to_contain_text("hidden here")
        assert "4111" not in await page.content()
        # An alarm that the monitor itself raises: one record of 46 can't be read.
        await expect(page.locator("#alarms-list")).to_contain_text("Dead letters")
        await expect(page.locator("#announcer")).to_contain_text("Dead letters")
        await window.calm()


async def delay(stage: Stage, page: Page, name: str) -> float:
    """Publish a label; returns the seconds until the page shows it."""
    made = label(name, task="intent")
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        began = time.monotonic()
        await producer.send_and_wait(stage.topics.labels, made.to_json(), key=made.key)
        await expect(page.get_by_role("button", name=name)).to_be_visible()
        return time.monotonic() - began
