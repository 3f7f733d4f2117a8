"""The live page in a real Chromium."""

import re
from collections.abc import Mapping

import pytest
from playwright.async_api import Browser, expect

from streamer.monitoring.expected import Audits, Expected
from streamer.monitoring.reading import Reading
from streamer.records.label import Position, Vote
from tests.services.monitor.web.browser import opened, screen
from tests.services.monitor.web.material import ABSTAINS, DRIFTS, TASKS, Made, label, record
from tests.services.monitor.web.site import TOKEN, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

ATTACK = '<img src=x onerror="window.pwned=1">"\'><script>window.pwned=1</script>'
TURNED = "T\u202egpj.exe\u2066"


async def test_it_opens_without_errors_and_shows_each_part(site: Site, chromium: Browser) -> None:
    async with opened(chromium, site.url) as window:
        page = window.page
        await expect(page.locator("#connection")).to_contain_text("live")
        answers = page.locator("#headline .says")
        await expect(answers).to_have_text(["Yes", "Yes, where promised", "Nothing"])
        await expect(page.locator("#headline")).to_contain_text("promised 98.0 %")
        await expect(page.locator("#headline")).to_contain_text("in the last minute")
        await expect(page.locator("#alarms-none")).to_have_text("No alarm is raised.")
        await expect(page.locator("#tasks-table tbody tr")).to_have_count(2)
        await page.get_by_role("button", name="topic", exact=True).click()
        await expect(page.locator("#task-title")).to_have_text("topic")
        await expect(page.locator("#charts path")).to_have_count(1 + 2 + 3 + 3)
        await expect(page.locator("#distribution tbody tr")).to_have_count(5)
        await expect(page.locator("#distribution")).to_contain_text("the calibration's tickets")
        await expect(page.locator("#agreement tbody tr")).to_have_count(3)
        await expect(page.locator("#sums")).to_contain_text("disagreement")
        await expect(page.locator("#processes-table tbody tr")).to_have_count(2)
        await expect(page.locator("#note")).to_contain_text("at least once")
        await window.calm()
        assert {url.split("/")[2] for url in window.requested} == {site.url.split("/")[2]}


BROKEN = """(places) => [...document.querySelectorAll(places)].flatMap((part) => {
  const text = part.firstChild, found = [];
  for (const word of text.data.matchAll(/\\S+/g)) {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
    if (lines.size > 1) found.push(word[0]);
  }
  return found;
})"""


@pytest.mark.parametrize("width", [1280, 1024])
async def test_no_name_breaks_in_mid_word(site: Site, chromium: Browser, width: int) -> None:
    long = "refund_request_after_cancellation"
    votes = tuple(
        Vote(f"customer_sentiment_{kind}_ngrams", "12", said, 0.913)
        for kind, said in (("word", long), ("char", long), ("subword", "a label of several words"))
    )
    of = {"task": "customer_sentiment_analysis", "label": long, "votes": votes}
    others = [("negative", "sentiment"), ("a label of several words", "topic")]
    site.tail.take(
        [
            *(record(label(f"CASE-2026-{n:08}", **of)) for n in range(4)),
            *(record(label(f"T-{said}", label=said, task=task)) for said, task in others),
        ]
    )
    async with opened(chromium, site.url, width) as window:
        page = window.page
        await expect(page.locator("#newest-table tbody tr")).to_have_count(6)
        places = ".newest td.task bdi, .newest td.label bdi, .newest td.votes bdi"
        assert await page.locator(places).count() == 6 * 8
        assert await page.evaluate(BROKEN, places) == []
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        if width < 1056:  # a card for each label
            fits = "(box) => box.scrollWidth <= box.clientWidth"
            assert await page.locator("#newest-scroll").evaluate(fits)
        await page.locator("#newest").screenshot(path=screen(f"newest-{width}"))


async def test_the_check_for_broken_words_can_fail(site: Site, chromium: Browser) -> None:
    site.tail.take([record(label("T-1", label="negative" * 20))])
    async with opened(chromium, site.url) as window:
        await expect(window.page.locator("#newest-table tbody tr")).to_have_count(1)
        assert await window.page.evaluate(BROKEN, ".newest td.label bdi") == ["negative" * 20]


async def test_the_tasks_can_be_read_on_a_phone(site: Site, chromium: Browser) -> None:
    async with opened(chromium, site.url, 375) as window:
        box = window.page.locator("#tasks-table")
        await expect(box.locator("tbody tr")).to_have_count(2)
        # Where the columns have no heads, each figure says what it is.
        await expect(box.get_by_role("cell", name="fidelity")).to_have_count(2)
        outside = await box.evaluate(
            "(box) => [...box.querySelectorAll('tbody th, tbody td')].filter((cell) =>"
            " cell.getBoundingClientRect().right > innerWidth ||"
            " cell.scrollWidth > cell.clientWidth)"
            ".map((cell) => cell.textContent)"
        )
        assert outside == []
        await box.screenshot(path=screen("tasks-375"))


@pytest.mark.parametrize(
    ("known", "says", "fact"),
    [
        (
            {},
            "Not known: no promise",
            r"agrees with \d\d\.\d % of [\d,]+ audited in this time, no promise",
        ),
        (
            {"topic": Expected(fidelity=0.98)},
            "Not measured yet",
            r"promised 98\.0 %, no audited label since",
        ),
        (
            {"topic": Expected(fidelity=0.98, audits=Audits(68, 100, 1_780_000_000_000))},
            "Below the promise so far",
            r"agrees with 68\.0 % of 100 audited since .+, promised 98\.0 %",
        ),
        (
            {"topic": Expected(fidelity=0.98, audits=Audits(99, 100, 1_780_000_000_000))},
            "Yes, where promised",
            r"agrees with 99\.0 % of 100 audited since .+, promised 98\.0 %",
        ),
        (
            dict.fromkeys(
                TASKS, Expected(fidelity=0.98, audits=Audits(99, 100, 1_780_000_000_000))
            ),
            "Yes",
            r"promised 98\.0 %",
        ),
    ],
)
async def test_right_is_only_what_keeps_a_promise(
    site: Site, chromium: Browser, known: Mapping[str, Expected], says: str, fact: str
) -> None:
    site.made.view.expect(known)
    async with opened(chromium, site.url) as window:
        card = window.page.locator("#headline .answer").nth(1)
        await expect(card.locator(".says")).to_have_text(says)
        await expect(card).to_contain_text(re.compile(fact))
        assert ("good" in (await card.get_attribute("class") or "")) == says.startswith("Yes")


async def test_segments_are_shown_where_there_are_any(site: Site, chromium: Browser) -> None:
    async with opened(chromium, site.url) as window:
        page = window.page
        await page.get_by_role("button", name="topic", exact=True).click()
        segments = page.locator("#segments")
        rows = segments.locator("tbody tr")
        await expect(rows).to_have_count(3)
        await expect(rows.nth(0)).to_contain_text("1 card charged invoice")
        await expect(rows.nth(0)).to_contain_text("55.0 %")
        await expect(rows.nth(2)).to_contain_text("no data")
        await expect(segments).to_contain_text(re.compile(r"The general way took .*far \d\.\d %"))
        await expect(segments).to_contain_text("(expected 1.0 %)")
        await page.get_by_role("button", name="mood", exact=True).click()
        await expect(page.locator("#task-title")).to_have_text("mood")
        await expect(segments).to_be_hidden()
        await window.calm()


async def test_a_monitor_that_heard_nothing_says_so(chromium: Browser) -> None:
    async with Site(Made()) as site, opened(chromium, site.url) as window:
        page = window.page
        await expect(page.locator("#headline .says").first).to_have_text("No data yet")
        await expect(page.locator("#headline .says").last).to_have_text("No data yet")
        await expect(page.locator("#newest-none")).to_contain_text("No data yet")
        await expect(page.locator(".chart .empty").last).to_be_visible()
        await expect(page.locator("#processes-table")).to_contain_text("No data yet")
        await expect(page.locator("#segments")).to_be_hidden()
        await window.calm()


async def test_an_alarm_appears_is_announced_and_goes(site: Site, chromium: Browser) -> None:
    async with opened(chromium, site.url) as window:
        page = window.page
        await expect(page.locator("#alarms-none")).to_be_visible()
        site.made.alarm(DRIFTS, ABSTAINS)
        items = page.locator("#alarms-list li")
        await expect(items).to_have_count(2)
        await expect(items.first).to_contain_text("Critical: A worker abstains · topic · topic_net")
        await expect(items.first).to_contain_text("What to do: docs/runbooks/worker_abstains.md")
        await expect(items.last).to_contain_text("By chance about every 30 d on average")
        await expect(page.locator("#announcer")).to_contain_text("Alarm: ")
        assert await page.locator("#announcer").get_attribute("aria-live") == "polite"
        await expect(page.locator("#headline .says")).to_have_text(
            ["Yes", "Not as expected", "2 alarms"]
        )
        await expect(page).to_have_title("(2) streamer monitor")
        site.made.alarm(ABSTAINS)
        await expect(items).to_have_count(1)
        await expect(page.locator("#announcer")).to_contain_text("Cleared: Coverage drifts (topic)")
        await window.calm()


async def test_newest_labels_are_shown_with_votes_and_can_be_paused(
    site: Site, chromium: Browser
) -> None:
    async with opened(chromium, site.url) as window:
        page = window.page
        rows = page.locator("#newest-table tbody tr")
        judged = label("T-2", source="judge", label="refund", confidence=None, judge="judge-1")
        site.tail.take([record(label("T-1")), record(judged), record(None, "T-3/topic")])
        await expect(rows).to_have_count(3)
        await expect(rows.first).to_contain_text("deleted")
        await expect(rows.nth(1)).to_contain_text("topic_word ≠ billing 0.941")
        await expect(rows.nth(2)).to_contain_text("margin, 2 of 3, margin ≥ 0.310")
        await page.get_by_role("button", name="Pause").click()
        site.tail.take([record(label("T-4"))])
        await expect(page.locator("#newest-note")).to_contain_text("paused, 1 wait")
        await expect(rows).to_have_count(3)
        await page.get_by_role("button", name="Pause").click()
        await expect(rows).to_have_count(4)
        await expect(rows.first).to_contain_text("T-4")
        site.tail.take([record(label(f"U-{number}")) for number in range(150)])
        await expect(rows.first).to_contain_text("U-149")
        assert await rows.count() <= 60
        await window.calm()


async def test_it_says_since_when_a_person_holds_a_label(site: Site, chromium: Browser) -> None:
    async with opened(chromium, site.url) as window:
        given = {"source": "person", "votes": (), "decided_at": "2026-01-31T08:15:00.000Z"}
        held = label("T-1", **given, carried=Position("tickets", "tickets", 0, 3))
        site.tail.take([record(held), record(label("T-2", released=True))])
        rows = window.page.locator("#newest-table tbody tr")
        await expect(rows.nth(1)).to_contain_text("person, since 2026-01-31 08:15, carried")
        await expect(rows.first).to_contain_text("workers, released")


async def test_what_is_hostile_does_nothing(chromium: Browser) -> None:
    made = Made()
    made.tell(minutes=1)
    made.alarm(
        Reading("dead_letters", ATTACK, TURNED, "warning", 1.0, 0.1, ATTACK, True),
        Reading("dead_letters", None, None, "warning", 1.0, 0.1, TURNED, True),
    )
    async with Site(made) as site, opened(chromium, f"{site.url}/#ticket={ATTACK}") as window:
        page = window.page
        await expect(page.locator("#alarms-list li")).to_have_count(2)
        votes = tuple(vote.__class__(ATTACK, ATTACK, TURNED, 0.5) for vote in label("x").votes)
        hostile = label(ATTACK, label=ATTACK, task=TURNED, votes=votes)
        site.tail.take([record(hostile), record(label(TURNED)), record(None, ATTACK, b"[]")])
        rows = page.locator("#newest-table tbody tr")
        await expect(rows).to_have_count(3)
        await expect(page.locator("#search-status")).to_contain_text("Nothing is known of <img")
        await expect(page.locator("#way h3")).to_contain_text(ATTACK)
        await expect(rows.nth(1)).to_contain_text("T\ufffdgpj.exe\ufffd")
        await rows.last.get_by_role("button").click()
        await expect(page.locator("#way h3")).to_contain_text(ATTACK)
        assert await page.locator("#main img, #main script, #main iframe").count() == 0
        assert await page.evaluate("window.pwned") is None
        assert (
            await page.evaluate(r"/[\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText)")
            is False
        )
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await window.calm()


async def test_a_lost_connection_is_said_and_comes_back(site: Site, chromium: Browser) -> None:
    async with opened(chromium, site.url) as window:
        page = window.page
        connection = page.locator("#connection")
        await expect(connection).to_contain_text("live")
        site.tail.take([record(label(f"T-{number}")) for number in range(5)])
        await expect(page.locator("#newest-table tbody tr")).to_have_count(5)
        port = await site.away()
        await expect(connection).to_contain_text("not connected")
        await expect(connection).to_contain_text(re.compile("what you see is of .* Trying again"))
        await site.back(port)
        await expect(connection).to_contain_text("live")
        await expect(page.locator("#newest-table tbody tr")).to_have_count(5)


async def test_a_restarted_monitor_begins_its_labels_anew(site: Site, chromium: Browser) -> None:
    async with opened(chromium, site.url) as window:
        rows = window.page.locator("#newest-table tbody tr")
        site.tail.take([record(label(f"old-{number}")) for number in range(5)])
        await expect(rows).to_have_count(5)
        port = await site.away()
        site.tail = site.tail.__class__("none", {})
        site.tail.take([record(label("new"))])
        await site.back(port)
        await expect(rows).to_have_count(1)
        await expect(rows.first).to_contain_text("new")


async def test_a_token_is_asked_for_and_never_part_of_an_address(chromium: Browser) -> None:
    made = Made()
    made.tell(minutes=1)
    async with Site(made, token=TOKEN) as site, opened(chromium, site.url) as window:
        page = window.page
        await expect(page.get_by_label("Token")).to_be_focused()
        await expect(page.locator("#headline")).to_be_hidden()
        assert not [url for url in window.requested if "/api/" in url]
        await window.calm()
        await page.keyboard.type("not-the-token-at-all")
        await page.keyboard.press("Enter")
        await expect(page.locator("#token-error")).to_have_text("That token was refused.")
        await page.get_by_label("Token").fill(TOKEN)
        await page.get_by_role("button", name="Open the monitor").click()
        await expect(page.locator("#connection")).to_contain_text("live")
        await expect(page.locator("#charts path").first).to_be_attached()
        await page.reload()
        await expect(page.locator("#connection")).to_contain_text("live")
        await expect(page.locator("#token")).to_be_hidden()
        assert not [url for url in window.requested if TOKEN in url]
        assert await page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
        another = await page.context.new_page()
        await another.goto(site.url)
        await expect(another.get_by_label("Token")).to_be_visible()


async def test_motion_is_left_out_where_the_reader_wants_none(
    site: Site, chromium: Browser
) -> None:
    moves = "getComputedStyle(document.querySelector('tr.fresh')).animationName"
    for wish, name in (("no-preference", "fresh"), ("reduce", "none")):
        async with opened(chromium, site.url, reduced_motion=wish) as window:
            await expect(window.page.locator("#connection")).to_contain_text("live")
            site.tail.take([record(label(f"T-{wish}"))])
            await expect(window.page.locator("tr.fresh").first).to_be_visible()
            assert await window.page.evaluate(moves) == name
