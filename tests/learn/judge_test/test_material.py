"""Which tickets are chosen on, told of, and shown."""

import pytest

from streamer.errors import ConfigError
from streamer.learn.data.examples import Examples, same_words
from streamer.learn.judge_test.material import Material
from tests.learn.judge_test.judges import tickets


def test_no_ticket_is_in_two_parts_even_with_other_punctuation() -> None:
    telling = tickets(40, 1)
    train = tickets(200, 2)
    copied = Examples(
        (*train.texts, *(f"  {text.upper()}!!" for text in telling.texts), *train.texts[:20]),
        (*train.labels, *telling.labels, *train.labels[:20]),
    )
    found = Material.of(copied, telling, 50)
    assert len(found.choosing) == 50
    parts = [set(map(same_words, part.texts)) for part in (found.choosing, telling, found.pool)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    # A copy of a ticket to choose on is left out of the pool, and is not chosen on twice.
    assert len(parts[0]) == 50


def test_more_tickets_to_choose_on_take_in_the_fewer() -> None:
    train, telling = tickets(200, 2), tickets(5, 1)
    few, more = (set(Material.of(train, telling, count).choosing.texts) for count in (30, 60))
    assert few < more


def test_too_few_tickets_that_are_not_told_of_are_refused() -> None:
    train = tickets(30, 2)
    with pytest.raises(ConfigError, match="has 0 that are not in the file"):
        Material.of(train, train, 20)
