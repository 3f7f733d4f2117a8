"""The page by keyboard, by screen reader, in both colour schemes and on a phone."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, expect

from tests.services.monitor.web.browser import opened, screen
from tests.services.monitor.web.material import ABSTAINS, DRIFTS, label, record
from tests.services.monitor.web.site import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

Scheme = Literal["light", "dark"]
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
ENOUGH = 4.5
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


@asynccontextmanager
async def shown(
    chromium: Browser, site: Site, width: int = 1280, scheme: Scheme = "light"
) -> AsyncIterator[Page]:
    """The page with something in each of its parts, a found ticket and two alarms among it."""
    site.made.alarm(DRIFTS, ABSTAINS)
    others = {"source": "judge", "label": "refund", "confidence": None, "judge": "judge-1"}
    labels = [label(f"T-{n}", **({} if n % 3 else others)) for n in range(12)]
    site.tail.take([*map(record, labels), record(None, "T-7/topic")])
    async with opened(
        chromium, site.url, width, color_scheme=scheme, reduced_motion="reduce"
    ) as window:
        page = window.page
        await page.get_by_role("button", name="topic", exact=True).click()
        await expect(page.locator("#charts path")).to_have_count(9)
        await page.get_by_role("button", name="T-3", exact=True).click()
        await expect(page.locator("#way h3")).to_be_visible()
        await page.evaluate("scrollTo(0, 0)")
        yield page
        await window.calm()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1280, 375])
async def test_it_fits_is_readable_and_has_its_picture_taken(
    site: Site, chromium: Browser, width: int, scheme: Scheme
) -> None:
    async with shown(chromium, site, width, scheme) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        texts = await page.evaluate(CONTRAST)
        assert len(texts) > 200
        assert [one for one in texts if one["ratio"] < ENOUGH] == []
        await page.screenshot(path=screen(f"{width}-{scheme}"), full_page=True)
        await page.screenshot(path=screen(f"{width}-{scheme}-first"))


async def test_the_contrast_check_can_fail(site: Site, chromium: Browser) -> None:
    async with opened(chromium, site.url) as window:
        await expect(window.page.locator("#connection")).to_contain_text("live")
        await window.page.evaluate("document.documentElement.style.setProperty('--soft', '#999')")
        texts = await window.page.evaluate(CONTRAST)
        assert any(one["ratio"] < ENOUGH for one in texts)


async def test_whatever_can_be_operated_has_a_name_and_a_role(
    site: Site, chromium: Browser
) -> None:
    async with shown(chromium, site) as page:
        session = await page.context.new_cdp_session(page)
        tree = (await session.send("Accessibility.getFullAXTree"))["nodes"]
        operated = [node for node in tree if focusable(node) and role(node) != "RootWebArea"]
        assert {"button", "link", "searchbox", "combobox", "slider", "region"} <= set(
            map(role, operated)
        )
        nameless = [node for node in operated if not named(node) and role(node) != "main"]
        assert nameless == []
        roles = Counter(role(node) for node in tree if not node["ignored"])
        for landmark in ("banner", "main", "navigation", "search", "contentinfo"):
            assert roles[landmark] == 1, landmark
        assert roles["columnheader"] >= 30
        assert roles["rowheader"] >= 15


def focusable(node: dict[str, Any]) -> bool:
    properties = {one["name"]: one["value"].get("value") for one in node.get("properties", [])}
    return not node["ignored"] and bool(properties.get("focusable"))


def role(node: dict[str, Any]) -> str:
    return str(node.get("role", {}).get("value"))


def named(node: dict[str, Any]) -> bool:
    return bool(str(node.get("name", {}).get("value") or "").strip())


async def test_headings_ids_and_labels_are_in_order(site: Site, chromium: Browser) -> None:
    async with shown(chromium, site) as page:
        levels = await page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4')].filter(h => h.checkVisibility())"
            ".map(h => Number(h.tagName[1]))"
        )
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        ids = await page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert [name for name, times in Counter(ids).items() if times > 1] == []
        missing = await page.evaluate(
            "[...document.querySelectorAll('[aria-labelledby],[aria-describedby],label[for],"
            "a[href^=\"#\"]')].flatMap(e => [e.getAttribute('aria-labelledby'), e.htmlFor, e.hash"
            "?.slice(1), ...(e.getAttribute('aria-describedby') ?? '').split(' ')])"
            ".filter(id => id && !document.getElementById(id))"
        )
        assert missing == []
        assert await page.locator("table:not(:has(th[scope=col]))").count() == 0
        assert await page.evaluate("document.documentElement.lang") == "en"


async def test_every_control_is_large_enough_for_a_finger(site: Site, chromium: Browser) -> None:
    async with shown(chromium, site, 375) as page:
        small = await page.evaluate(
            "[...document.querySelectorAll('a,button,input,select,summary')]"
            ".filter(e => e.checkVisibility() && !e.matches('.skip'))"
            ".map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
            ".filter(([, box]) => box.height < 24 || box.width < 24).map(([html]) => html)"
        )
        assert small == []


async def test_a_way_by_keyboard_alone(site: Site, chromium: Browser) -> None:
    async with opened(chromium, site.url) as window:
        page, press = window.page, window.page.keyboard.press
        await expect(page.locator("#charts path")).to_have_count(9)
        await press("Tab")
        await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        assert await page.locator(".skip").evaluate("e => e.getBoundingClientRect().top >= 0")
        await press("Enter")
        await expect(page.locator("#main")).to_be_focused()
        await reach(page, "#tasks-table tbody tr:nth-child(2) button")
        await press("Space")
        await expect(page.locator("#task-title")).to_have_text("topic")
        await reach(page, "#charts .plot")
        plot = page.locator("#charts .plot").first
        newest = await plot.get_attribute("aria-valuetext")
        await press("Home")
        assert await plot.get_attribute("aria-valuenow") == "0"
        await press("ArrowRight")
        assert await plot.get_attribute("aria-valuenow") == "1"
        spoken = await plot.get_attribute("aria-valuetext") or ""
        assert re.fullmatch(r"\d\d:\d\d:\d\d: in [\d.,]+/s", spoken)
        assert await plot.get_attribute("aria-valuetext") != newest
        await reach(page, "#charts summary")
        await press("Enter")
        await expect(page.locator("#charts details table").first).to_be_visible()
        await reach(page, "#search-id")
        await page.keyboard.type("T-3")
        await press("Enter")
        await expect(page.locator("#way h3")).to_have_text("Ticket T-3")
        await reach(page, "#newest-pause")
        await press("Space")
        await expect(page.locator("#newest-pause")).to_have_attribute("aria-pressed", "true")
        await window.calm()


async def reach(page: Page, selector: str) -> None:
    """Tab on until the first of these has the focus, which must be seen each time."""
    wanted = page.locator(selector).first
    for _ in range(60):
        await page.keyboard.press("Tab")
        seen = await page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        )
        assert seen, await page.evaluate("document.activeElement.outerHTML")
        if await wanted.evaluate("e => e === document.activeElement"):
            return
    pytest.fail(f"{selector} can't be reached by Tab")
