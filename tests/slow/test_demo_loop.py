"""The loop as a stranger runs it: segments, aligned workers, a trial, a promotion, fewer calls."""

import re
from pathlib import Path

import pytest

from tests.slow.demonstrated import demonstrated

pytestmark = pytest.mark.slow

WAVE = r"^ *(?P<name>\S.*?) {2,}(?P<tickets>\d+) +(?P<asked>[01]\.\d+) +([01]\.\d+) +([01]\.\d+)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loop")


@pytest.fixture(scope="module")
def told(folder: Path) -> str:
    return demonstrated(folder, "--loop")


def test_the_judge_is_asked_less_with_the_versions_that_were_promoted(told: str) -> None:
    waves = [found.groupdict() for found in re.finditer(WAVE, told, re.MULTILINE)]
    assert [wave["name"] for wave in waves] == [
        "workers that learnt a few examples",
        "the same, and new versions on trial beside them",
        "the new versions",
        "the new versions, by segment",
    ]
    first, trial, promoted, routed = (float(wave["asked"]) for wave in waves)
    assert promoted < min(first, trial) - 0.05
    assert routed < min(first, trial) - 0.05


def test_the_page_shows_all_waves_and_leads_to_the_steps(told: str, folder: Path) -> None:
    where = folder / ".streamer" / "loop-demo"
    page = (where / "loop.html").read_text()
    assert page.count("<tr>") == 5
    links = re.findall(r'href="([^"]+)"', page)
    assert len(links) >= 3
    assert all((where / link).is_file() for link in links)
