from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from streamer.errors import TicketError
from streamer.records.dead_letter import DeadLetter, attempts
from streamer.stream.dead_letters import KEPT_BYTES, DeadLetters, headers_bytes, record_bytes
from tests.stream.simulated import SimRecord

LIMIT = 200_000
ERROR = TicketError("not_json", "no value at character 3")
RECORD = replace(SimRecord(2, 41), key=b"\xff\x00k", value=b"{]", headers=(("a", b"\xfe"),))


def clock() -> datetime:
    return datetime(2026, 1, 31, 8, 0, 0, 123456, UTC)


LETTERS = DeadLetters("tickets.dead", LIMIT, clock)


def test_the_input_is_kept_byte_for_byte_with_reason_and_place() -> None:
    emission = LETTERS.emission(RECORD, ERROR)
    assert (emission.topic, emission.key, emission.value) == ("tickets.dead", b"\xff\x00k", b"{]")
    assert emission.record is RECORD
    assert emission.headers[0] == ("a", b"\xfe")
    assert DeadLetter.from_headers(emission.headers) == DeadLetter(
        reason="not_json",
        error="no value at character 3",
        topic="tickets",
        partition=2,
        offset=41,
        at="2026-01-31T08:00:00.123Z",
    )


def test_names_count_by_their_bytes_where_sizes_are_held_against_a_limit() -> None:
    name = "\N{PILE OF POO}" * 30_000
    record = replace(RECORD, headers=((name, b""), ("x\udcff", b"")))
    assert headers_bytes(record.headers) >= 120_002
    assert record_bytes(record) >= 120_002 + len(b"\xff\x00k{]")


def test_a_value_too_large_to_copy_is_cut_and_flagged_with_the_hash_of_the_whole() -> None:
    value = bytes(range(256)) * 1000
    emission = LETTERS.emission(replace(RECORD, value=value), ERROR)
    letter = DeadLetter.from_headers(emission.headers)
    assert emission.value == value[:KEPT_BYTES]
    assert letter.truncated
    assert letter.sha256 == sha256(value).hexdigest()
    assert emission.headers[0] == ("a", b"\xfe")


def test_whatever_comes_in_the_letter_fits_the_topic() -> None:
    endless = TicketError("not_json", "x" * 1_000_000)
    for record in (
        replace(RECORD, value=b"v" * LIMIT),
        replace(RECORD, key=b"k" * 2 * LIMIT),
        replace(RECORD, headers=[("h", b"x" * 2 * LIMIT)]),
        replace(RECORD, value=None, headers=[("h", b"x" * 2 * LIMIT)]),
        replace(RECORD, value=b"v" * (LIMIT - 1000)),
    ):
        emission = LETTERS.emission(record, endless)
        assert record_bytes(emission) <= LIMIT + 64 * 1024
        assert DeadLetter.from_headers(emission.headers).reason == "not_json"


def test_a_deletion_stays_a_deletion() -> None:
    assert LETTERS.emission(replace(RECORD, value=None), ERROR).value is None


def test_of_a_letter_that_died_again_only_the_newest_reason_counts() -> None:
    first = LETTERS.emission(replace(RECORD, value=b"v" * 2 * LIMIT), ERROR)
    again = replace(RECORD, value=first.value, headers=first.headers)
    second = LETTERS.emission(again, TicketError("unknown_label_set", "abc"))
    letter = DeadLetter.from_headers(second.headers)
    assert (letter.reason, letter.truncated, letter.sha256) == ("unknown_label_set", False, None)


@pytest.mark.parametrize("said", [None, b"", b"-1", b"\xff", b"9" * 5000, "\u0663".encode()])
def test_a_count_that_somebody_else_wrote_stops_nothing(said: bytes | None) -> None:
    odd = replace(RECORD, headers=(("dead.attempt", said),))
    assert attempts(odd.headers) == 0
    assert DeadLetter.from_headers(LETTERS.emission(odd, ERROR).headers).attempt == 0


@pytest.mark.parametrize("value", [None, b"\xff"])
def test_an_inputs_own_headers_of_our_beginning_hide_no_letter(value: bytes | None) -> None:
    odd = replace(RECORD, headers=(("dead.end", value),))
    letter = LETTERS.emission(odd, ERROR)
    assert letter.headers[0] == ("dead.end", value)
    assert DeadLetter.from_headers(letter.headers).reason == "not_json"


def test_header_sizes_count_names_and_missing_values() -> None:
    assert headers_bytes([("ab", b"cde"), ("f", None)]) == 22
