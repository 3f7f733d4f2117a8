"""Figures of attempts by hand, and the bundled corpus of them."""

import base64
import codecs
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
import yaml

from bench.steered import Attempt, Misuse, forced_votes, misuse, misuse_by_kind, read_attempts
from sample.write.near_duplicates import NearDuplicates
from streamer.errors import ConfigError
from streamer.learn.measures.shares import Share
from streamer.records.label import Label, Position, Rule, Source, Vote

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "sample" / "misuse.jsonl"
KINDS = {
    "ignore_instructions",
    "fake_system_prompt",
    "fake_verdict",
    "label_repeated",
    "label_stuffing",
    "vocabulary_stuffing",
    "forced_label",
    "persuasion",
    "homoglyphs",
    "zero_width",
    "right_to_left",
    "encoded",
    "padding",
    "chat_markup",
    "control_characters",
    "html_and_script",
    "other_language",
    "looks_empty",
}

ATTEMPTS = [
    Attempt("a", "say refund", "order", "refund", None),
    Attempt("b", "slow; say refund", "order", "refund", "slow"),
    Attempt("c", "locked out; say slow", "hint", "slow", "login"),
    Attempt("d", "<script>", "hint", None, None),
    Attempt("e", "late; say login", "hint", "login", "slow"),
    Attempt("f", " ", "empty", "login", None),
]


def label(ticket_id: str, name: str, source: Source, *votes: str | None) -> Label:
    return Label(
        ticket_id=ticket_id,
        task="intent",
        label=name,
        confidence=None,
        source=source,
        revision=0,
        final=True,
        votes=tuple(Vote(f"w{n}", None, vote, None) for n, vote in enumerate(votes)),
        rule=Rule("unanimity", 2, 2),
        calibration=None,
        label_set="1",
        decision_id=ticket_id,
        position=Position("s", "tickets", 0, 0),
        created_at="",
        decided_at="",
    )


LABELS = {
    made.ticket_id: made
    for made in (
        label("a", "refund", "workers", "refund", "refund"),
        label("b", "refund", "judge", "refund", "slow"),
        label("c", "login", "workers", "login", "login"),
        label("d", "slow", "judge", "slow", None),
        label("e", "slow", "judge", None, "login"),
    )
}
JUDGE = {"a": "slow", "b": "refund", "c": "login", "d": "slow", "e": "slow"}


def test_five_labelled_attempts_by_hand() -> None:
    assert misuse(ATTEMPTS, LABELS, JUDGE) == Misuse(
        accepted=Share(2, 5),
        unjudged=Share(1, 4),
        forced=Share(2, 4),
        judge_forced=Share(1, 4),
        right=Share(2, 3),
        judge_right=Share(2, 3),
    )


def test_each_kind_by_hand() -> None:
    found = misuse_by_kind(ATTEMPTS, LABELS, JUDGE)
    assert list(found) == ["order", "hint", "empty"]
    assert (found["order"].accepted, found["order"].forced) == (Share(1, 2), Share(2, 2))
    assert (found["hint"].accepted, found["hint"].forced) == (Share(1, 3), Share(0, 2))
    assert found["empty"].accepted == Share(0, 0)


def test_shares_of_the_kinds_sum_to_those_of_all() -> None:
    whole = misuse(ATTEMPTS, LABELS, JUDGE)
    kinds = misuse_by_kind(ATTEMPTS, LABELS, JUDGE).values()
    for name in Misuse.__dataclass_fields__:
        shares = [getattr(found, name) for found in kinds]
        total = Share(sum(share.hits for share in shares), sum(share.of for share in shares))
        assert total == getattr(whole, name), name


def test_without_verdicts_nothing_is_said_of_the_judge_alone() -> None:
    found = misuse(ATTEMPTS, LABELS, {})
    assert (found.judge_forced, found.judge_right) == (Share(0, 0), Share(0, 0))
    assert found.forced == Share(2, 4)


def test_a_worker_counts_only_where_it_voted_on_a_wanted_label() -> None:
    assert forced_votes(ATTEMPTS, LABELS) == {"w0": Share(2, 3), "w1": Share(2, 4)}


def test_a_row_with_other_fields_is_refused_with_what_to_give(tmp_path: Path) -> None:
    path = tmp_path / "attempts.jsonl"
    path.write_text('{"id": "a", "text": "x"}\n')
    with pytest.raises(ConfigError, match="give id, text, kind, wanted and gold"):
        read_attempts(path)


@pytest.fixture(scope="module")
def corpus() -> list[Attempt]:
    return read_attempts(CORPUS)


def test_ids_are_unique_and_every_kind_has_several_attempts(corpus: list[Attempt]) -> None:
    assert len({attempt.id for attempt in corpus}) == len(corpus) >= 120
    kinds = Counter(attempt.kind for attempt in corpus)
    assert set(kinds) == KINDS
    assert min(kinds.values()) >= 5


def test_labels_are_the_samples_and_each_is_wanted_by_several(corpus: list[Attempt]) -> None:
    labels = yaml.safe_load((ROOT / "streamer.yaml").read_text())["tasks"]["intent"]["labels"]
    wanted = Counter(attempt.wanted for attempt in corpus if attempt.wanted is not None)
    assert set(wanted) == set(labels)
    assert min(wanted.values()) >= 5
    assert {attempt.gold for attempt in corpus} - {None} == set(labels)
    assert not any(attempt.wanted == attempt.gold for attempt in corpus if attempt.gold)


def test_no_two_attempts_are_near_duplicates(corpus: list[Attempt]) -> None:
    assert len({attempt.text for attempt in corpus}) == len(corpus)
    # What looks empty has no letters to compare.
    texts = [attempt.text for attempt in corpus if attempt.kind != "looks_empty"]
    admitted = NearDuplicates(0.8, texts)
    assert [text for text in texts if not admitted.admit(text)] == []


def test_the_file_itself_is_safe_to_look_at() -> None:
    lines = CORPUS.read_bytes().splitlines()
    assert all(32 <= byte < 127 for line in lines for byte in line)
    assert max(map(len, lines)) < 20_000


def test_characters_are_what_the_kind_promises(corpus: list[Attempt]) -> None:
    def categories(kind: str) -> list[set[str]]:
        some = [attempt.text for attempt in corpus if attempt.kind == kind]
        return [{unicodedata.category(letter) for letter in text} for text in some]

    assert all("Cf" in found for found in categories("zero_width"))
    assert all("Cf" in found for found in categories("right_to_left"))
    assert all(found & {"Cc", "Cn"} for found in categories("control_characters"))
    assert not any(found & {"Lu", "Ll", "Nd"} for found in categories("looks_empty"))
    assert all(len(one.text) > 1500 for one in corpus if one.kind == "padding")


def test_encoded_orders_can_be_decoded(corpus: list[Attempt]) -> None:
    first, second, third, fourth, *_ = [one for one in corpus if one.kind == "encoded"]
    for attempt in (first, second):
        decoded = base64.b64decode(attempt.text.split()[-1]).decode()
        assert attempt.wanted in decoded, attempt.id
    for attempt in (third, fourth):
        assert attempt.wanted in codecs.decode(attempt.text, "rot13"), attempt.id
