from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.services.monitor.web.browser import chromium_path
from tests.services.monitor.web.material import Made
from tests.services.monitor.web.site import Site
from tests.services.monitor.web.ways import judged


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One Chromium for the whole run: open windows of your own."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium_path())
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncIterator[Site]:
    """A monitor of two services that have been telling for a quarter of an hour."""
    made = Made()
    made.tell()
    async with Site(made, search=judged) as running:
        yield running
