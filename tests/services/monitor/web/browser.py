"""A real Chromium, and what it complains about."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Page, expect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SCREENS = Path(__file__).resolve().parents[4] / "build" / "screens"

# Generous: the machine may be busy, and nothing is asserted about time.
WAIT_MS = 15_000
expect.set_options(timeout=WAIT_MS)

_WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""


def chromium_path() -> str:
    """Where Chromium is; fails with what to install."""
    for name in NAMES:
        if (found := shutil.which(name)) is not None:
            return found
    pytest.fail("these tests need Chromium: apt-get install chromium (or: make tools)", False)


class Opened:
    """A page, and the errors it wrote to the console or raised."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requested: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("request", lambda request: self.requested.append(request.url))

    async def calm(self) -> None:
        """Assert that there were no errors, and nothing that the policy forbids."""
        assert await self.page.evaluate("window.violations") == []
        assert self.complaints == []

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _error(self, error: Error) -> None:
        self.complaints.append(f"raised: {error}")


@asynccontextmanager
async def opened(
    browser: Browser, url: str, width: int = 1280, **context: Any
) -> AsyncIterator[Opened]:
    """The page in a browser window of its own."""
    window = await browser.new_context(viewport={"width": width, "height": 900}, **context)
    try:
        page = Opened(await window.new_page())
        page.page.set_default_timeout(WAIT_MS)
        await page.page.add_init_script(_WATCH)
        await page.page.goto(url)
        yield page
    finally:
        await window.close()


def screen(name: str) -> Path:
    """Where to keep a screenshot: in `STREAMER_ARTEFACTS`, else under build/."""
    folder = Path(os.environ.get("STREAMER_ARTEFACTS") or SCREENS)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"monitor-{name}.png"
