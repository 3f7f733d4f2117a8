import argparse
from datetime import UTC, datetime, timedelta

import pytest

from streamer.words import (
    at_least_one,
    count,
    did_you_mean,
    letter,
    no_such_task,
    positive,
    since,
    span,
    when,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [("90s", 90), ("90m", 5400), ("24h", 86400), ("7d", 7 * 86400), ("2w", 14 * 86400)],
)
def test_a_stretch_of_time(text: str, found: int) -> None:
    assert span(text) == timedelta(seconds=found)


def test_a_time_or_a_stretch_before_now() -> None:
    assert when("2026-01-31T08:00:00Z") == datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert when("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    before = datetime.now(UTC)
    assert before <= when("24h") + timedelta(hours=24) <= datetime.now(UTC)


def test_since_when_or_all_there_is() -> None:
    assert since("earliest") == "earliest"
    before = datetime.now(UTC)
    assert isinstance(found := since("7d"), datetime)
    assert before <= found + timedelta(days=7) <= datetime.now(UTC)
    with pytest.raises(argparse.ArgumentTypeError):
        since("latest")


def test_a_place_of_a_dead_letter_and_a_number() -> None:
    assert letter("3:812") == (3, 812)
    assert positive("0.5") == 0.5
    assert count("0") == 0
    assert at_least_one("8") == 8


@pytest.mark.parametrize(
    ("word", "text"),
    [
        *((span, text) for text in ("", "h", "24", "0h", "-1h", "1.5h", "1y", "9999999d")),
        *((when, text) for text in ("earliest", "latest", "yesterday", "")),
        *((letter, text) for text in ("3", "3:", ":8", "-1:2", "a:b", "3:8:1")),
        *((at_least_one, text) for text in ("", "-1", "0", "1.5", "many")),
        *((count, text) for text in ("", "-1", "1.5", "many")),
        *((positive, text) for text in ("0", "-1", "inf", "nan", "many", "")),
    ],
)
def test_what_is_none_of_them_is_refused_in_one_line(word, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        word(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("shop.tikets", "; did you mean shop.tickets?"),
        ("SHOP.Tickets", "; did you mean shop.tickets?"),
        ("zebra", ""),
        ("", ""),
    ],
)
def test_what_was_probably_meant(word: str, said: str) -> None:
    assert did_you_mean(word, ["shop.tickets", "shop.labels"]) == said
    assert did_you_mean(word, []) == ""


def test_a_task_that_is_not_there_is_told_with_those_that_are() -> None:
    said = no_such_task("intnet", {"intent": 1, "mood": 2})
    assert said == "no task 'intnet'; did you mean intent?"
    assert no_such_task("x", ["intent", "mood"]) == "no task 'x': use one of intent, mood"
