"""docs/commands.md says what the commands say today.

Where it doesn't: python -m tests.commands_page
"""

import re
from pathlib import Path

import pytest

from tests.commands_page.page import TOP, masked, written
from tests.commands_page.sections import SECTIONS
from tests.commands_page.world import World

PAGE = (Path(__file__).parents[1] / "docs" / "commands.md").read_text(encoding="utf-8")
HINT = "run python -m tests.commands_page, and look at what changed"


def on_the_page() -> dict[str, str]:
    parts = re.split(r"^(?=## )", PAGE, flags=re.MULTILINE)
    return {part.splitlines()[0].removeprefix("## "): part.strip() for part in parts[1:]}


def differences(tmp_path: Path, *, servers: bool) -> list[str]:
    """What the sections without servers, or all of them, say otherwise than the page."""
    wanted = [section for section in SECTIONS if servers or not section.servers]
    found, shown = [], on_the_page()
    with World(tmp_path) as world:
        for section, text in written(wanted, world):
            was, now = (masked(one).splitlines() for one in (shown[section.title], text.strip()))
            found += [f"- {line}" for line in was if line not in now]
            found += [f"+ {line}" for line in now if line not in was]
    return found


def test_the_page_has_every_section_and_no_other() -> None:
    assert PAGE.startswith(TOP)
    assert list(on_the_page()) == [section.title for section in SECTIONS]


def test_commands_that_need_no_servers_say_what_is_on_the_page(tmp_path: Path) -> None:
    assert differences(tmp_path, servers=False) == [], HINT


@pytest.mark.slow
def test_commands_on_real_servers_say_what_is_on_the_page(tmp_path: Path) -> None:
    assert differences(tmp_path, servers=True) == [], HINT


def test_a_changed_answer_would_be_seen() -> None:
    text = "sent 3 tickets to helpdesk.tickets in 0.4 s at 2026-01-01T00:00:00Z"
    assert masked(text) == masked(text.replace("0.4", "1.75").replace("01-01", "02-03"))
    assert masked(text) != masked(text.replace("sent", "put"))
    assert masked(text) != masked(text.replace("3 tickets", "4 tickets"))
