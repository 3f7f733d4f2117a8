"""Cutting and reading of ticket text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.judging.classifier.encoder import Encoder
from streamer.judging.engine.tokens import TicketTokenizer

CLS, SEP = 101, 102


@pytest.fixture(scope="module")
def short(encoder: Encoder) -> TicketTokenizer:
    """Room for eight tokens of text: six of the head and two of the tail."""
    return TicketTokenizer(encoder, max_tokens=10)


@pytest.mark.parametrize("name", ["[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"])
def test_special_tokens_in_text_are_spelled_out(encoder: Encoder, name: str) -> None:
    [ticket] = TicketTokenizer(encoder).encode([f"what is {name} here"])
    assert ticket.ids[0] == CLS
    assert ticket.ids[-1] == SEP
    assert not {0, 100, CLS, SEP, 103} & set(ticket.ids[1:-1])


def test_an_empty_text_is_the_two_special_tokens(short: TicketTokenizer) -> None:
    [ticket] = short.encode([""])
    assert (ticket.ids, ticket.truncated) == ([CLS, SEP], False)


def test_a_long_text_keeps_head_and_tail(short: TicketTokenizer) -> None:
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    parts = short.encode([" ".join(words), " ".join(words[:6]), " ".join(words[-2:])])
    whole, head, tail = (part.ids[1:-1] for part in parts)
    assert whole == head + tail
    assert [part.truncated for part in parts] == [True, False, False]


def test_a_text_that_just_fits_is_whole(short: TicketTokenizer) -> None:
    [ticket] = short.encode(["one two three four five six seven eight"])
    assert (len(ticket.ids), ticket.truncated) == (10, False)


def test_megabytes_are_cut_before_they_are_read(short: TicketTokenizer) -> None:
    [ticket] = short.encode(["alpha " + "x " * 2_000_000 + "omega"])
    ends = short.encode(["alpha", "omega"])
    assert ticket.truncated
    assert ticket.ids[1] == ends[0].ids[1]
    assert ticket.ids[-2] == ends[1].ids[-2]


@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=400), max_size=5))
def test_any_text_fits(short: TicketTokenizer, texts: list[str]) -> None:
    tickets = short.encode(texts)
    assert len(tickets) == len(texts)
    for ticket in tickets:
        assert 2 <= len(ticket.ids) <= 10
        assert (ticket.ids[0], ticket.ids[-1]) == (CLS, SEP)
