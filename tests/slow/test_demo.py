"""The demo as a stranger runs it, with a language model for the judge and the encoder beside it."""

import re

import pytest

from tests.slow.demonstrated import demonstrated

pytestmark = pytest.mark.slow

SHARE = r"(0\.\d{3}) \[[^\]]+\]"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    return demonstrated(tmp_path_factory.mktemp("demo"), "--judge", "llm")


def test_every_record_has_its_outcome(report: str) -> None:
    assert re.search(r"unaccounted for +0\b", report)


@pytest.mark.parametrize("task", ["intent", "sentiment"])
def test_both_judges_are_compared_on_the_same_tickets(report: str, task: str) -> None:
    rows = re.findall(rf"^ *{task} +(llm|classifier) +{SHARE}", report, re.MULTILINE)
    found = dict(rows)
    assert set(found) == {"llm", "classifier"}
    # Ten intents and three sentiments: far above chance, or the small judge says nothing.
    assert float(found["llm"]) > 0.65
    assert float(found["classifier"]) > 0.8
