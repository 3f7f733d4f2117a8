"""The bundled sample: reproducible, free of near-duplicates, and as hard as promised."""

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample"
SPLITS = ("train", "test", "calibrate")
INTENTS = {
    "account_change",
    "billing_invoice",
    "bug_report",
    "data_export",
    "feature_request",
    "how_to",
    "integration_api",
    "login_access",
    "performance",
    "refund",
}
HARD = {"", "typos", "two_topics", "sarcasm", "very_short", "very_long", "vague"}

Rows = list[dict[str, str]]


def read(split: str) -> Rows:
    with (SAMPLE / f"helpdesk.{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def train() -> Rows:
    return read("train")


@pytest.fixture(scope="module")
def test() -> Rows:
    return read("test")


@pytest.fixture(scope="module")
def calibrate() -> Rows:
    return read("calibrate")


def texts(rows: Rows) -> list[str]:
    return [f"{row['subject']}\n{row['text']}" for row in rows]


def test_the_generator_writes_the_committed_files_byte_for_byte(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "sample.write", str(tmp_path)], cwd=ROOT, check=True)
    for split in SPLITS:
        name = f"helpdesk.{split}.csv"
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes(), name


def test_rows_are_complete_and_labels_are_known(train: Rows, test: Rows, calibrate: Rows) -> None:
    rows = train + test + calibrate
    assert len(train) >= 3900
    assert len(test) >= 1100
    assert list(rows[0]) == ["id", "subject", "text", "intent", "sentiment", "hard"]
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["text"].strip() for row in rows)
    assert {row["sentiment"] for row in rows} == {"negative", "neutral", "positive"}
    assert not any("{" in text or "<" in text for text in texts(rows))


@pytest.mark.parametrize("split", SPLITS)
def test_every_intent_and_every_kind_of_hard_case_is_there(split: str) -> None:
    rows = read(split)
    intents = Counter(row["intent"] for row in rows)
    hard = Counter(row["hard"] for row in rows)
    assert set(intents) == INTENTS
    assert min(intents.values()) >= 0.05 * len(rows)
    assert set(hard) == HARD
    assert min(hard.values()) >= 0.02 * len(rows)


def test_no_two_tickets_say_the_same(train: Rows, test: Rows, calibrate: Rows) -> None:
    said = Counter(
        "".join(letter for letter in row["text"].lower() if letter.isalnum())
        for row in train + test + calibrate
    )
    assert [text for text, count in said.items() if count > 1] == []


@pytest.mark.parametrize("pair", [("train", "test"), ("train", "calibrate"), ("test", "calibrate")])
def test_no_ticket_is_a_near_duplicate_across_the_splits(pair: tuple[str, str]) -> None:
    train, test = map(read, pair)
    plain = [" ".join(row["text"].lower().split()) for row in train + test]
    grams = CountVectorizer(analyzer="char", ngram_range=(5, 5), binary=True, dtype=np.int32)
    matrix = grams.fit_transform(plain)
    sizes = np.asarray(matrix.sum(axis=1)).ravel()
    shared = (matrix[len(train) :] @ matrix[: len(train)].T).tocoo()
    either = sizes[len(train) + shared.row] + sizes[shared.col] - shared.data
    assert (shared.data / either).max() < 0.8


VECTORIZERS = {
    "word": {"ngram_range": (1, 2), "sublinear_tf": True},
    "char": {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True, "min_df": 2},
}


@pytest.mark.parametrize("task", ["intent", "sentiment"])
@pytest.mark.parametrize("kind", list(VECTORIZERS))
def test_a_plain_worker_finds_the_sample_neither_easy_nor_hopeless(
    kind: str, task: str, train: Rows, test: Rows
) -> None:
    vectorizer = TfidfVectorizer(**VECTORIZERS[kind])
    model = LogisticRegression(C=10, max_iter=300)
    model.fit(vectorizer.fit_transform(texts(train)), [row[task] for row in train])
    named = model.predict(vectorizer.transform(texts(test)))
    accuracy = float(np.mean(named == np.array([row[task] for row in test])))
    sys.stdout.write(f"\n{kind} worker, held-out {task} accuracy: {accuracy:.4f}\n")
    assert 0.80 <= accuracy <= 0.92
