"""Labelled tickets that are like a ticket."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.errors import ConfigError
from streamer.judging.llm.nearest import LabelledTickets, load_labelled
from streamer.records.labelset import LabelSet

LABELS = LabelSet(("good", "bad"))
VOWELS = "aeiou"


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    counts = np.array([[text.count(vowel) for vowel in VOWELS] for text in texts], np.float32)
    return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


def test_the_most_alike_stands_last() -> None:
    tickets = LabelledTickets(LABELS, ("aaa", "eee", "aae", "uuu"), (0, 1, 0, 1), embed)
    assert tickets.nearest(["aaaa", "e"], 2) == [
        (("aae", 0), ("aaa", 0)),
        (("aae", 0), ("eee", 1)),
    ]
    assert tickets.nearest([], 2) == []


def test_more_than_there_are_gives_all_of_them() -> None:
    tickets = LabelledTickets(LABELS, ("aaa", "eee"), (0, 1), embed)
    assert len(tickets.nearest(["a"], 6)[0]) == 2


def test_another_label_or_text_is_another_digest() -> None:
    digests = {
        LabelledTickets(LABELS, texts, labels, embed).digest
        for texts, labels in ((("a", "e"), (0, 1)), (("a", "e"), (0, 0)), (("a", "i"), (0, 1)))
    }
    assert len(digests) == 3


def test_tickets_of_a_folder_are_read_and_a_wrong_row_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mood.examples.jsonl"
    file.write_text('{"text": "aaa", "label": "good"}\n{"text": "eee", "label": "bad"}\n')
    found = load_labelled(tmp_path, {"mood": LABELS, "other": LABELS}, embed)
    assert set(found) == {"mood"}
    assert (found["mood"].texts, found["mood"].labels) == (("aaa", "eee"), (0, 1))
    file.write_text('{"text": "aaa", "label": "goood"}\n')
    with pytest.raises(ConfigError, match=r"line 1 has the label 'goood'.*did you mean good"):
        load_labelled(tmp_path, {"mood": LABELS}, embed)
    file.write_text('{"text": "", "label": "good"}\n')
    with pytest.raises(ConfigError, match="line 1 has no text"):
        load_labelled(tmp_path, {"mood": LABELS}, embed)


def test_examples_without_any_tickets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no <task>\.examples\.jsonl"):
        load_labelled(tmp_path, {"mood": LABELS}, embed)
