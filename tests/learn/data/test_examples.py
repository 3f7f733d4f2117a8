import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import ConfigError
from streamer.learn.data.examples import Examples, drawn, is_held_back, read_examples

CSV = 'subject,body,topic\r\nHi,"lost\nmy card",cards\r\n,late,parcels\r\nskip,me,\r\n'
JSONL = (
    b'{"body": "one", "topic": "a", "subject": null}\n\n{"body": 2, "topic": "b", "subject": ""}\n'
)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.v2.csv"])
def test_reads_csv_with_joined_columns(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, CSV.encode("utf-8-sig"))
    examples = read_examples(path, text=("subject", "body"), label="topic")
    assert examples == Examples(("Hi\nlost\nmy card", "late"), ("cards", "parcels"))


@pytest.mark.parametrize("name", ["data.jsonl", "data.jsonl.gz"])
def test_reads_json_lines(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, JSONL)
    examples = read_examples(path, text=("subject", "body"), label="topic")
    assert examples == Examples(("one", "2"), ("a", "b"))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("data.csv", b"text,label\nhi,a\n", "line 2 has no column 'body', it has 'text', 'label'"),
        ("data.csv", b"body,topic\nhi,\n", "no row has a label in 'topic'"),
        ("data.csv", b"body,topic\n\xff,a\n", "not UTF-8 at byte 11"),
        ("data.txt", b"", "its name must end in"),
        ("data.jsonl", b'{"body": "a", "topic": "b"}\nno\n', "line 2 is no JSON"),
        ("data.jsonl", b"[1]\n", "line 1 is no JSON object"),
    ],
)
def test_says_what_is_wrong_with_a_file(
    name: str, content: bytes, why: str, tmp_path: Path
) -> None:
    path = written(tmp_path / name, content)
    with pytest.raises(ConfigError, match=why):
        read_examples(path, text=("body",), label="topic")


def test_says_which_file_is_missing_or_broken(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"read \S*absent\.csv: No such file or directory; check"):
        read_examples(tmp_path / "absent.csv", text=("body",), label="topic")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(CSV.encode())[:-9])
    with pytest.raises(ConfigError, match="can't read"):
        read_examples(tmp_path / "cut.csv.gz", text=("body",), label="topic")


NESTED = (
    b'{"t": {"title": "A", "body": "one"}, "topic": "a"}\n'
    b'{"t": {"body": "two"}, "topic": "b"}\n{"t": {"body": "three"}, "topic": null}\n'
)


def test_pointers_and_columns_may_stand_side_by_side(tmp_path: Path) -> None:
    path = written(tmp_path / "data.jsonl", NESTED)
    for label in ("topic", "/topic"):
        found = read_examples(path, text=("/t/title", "/t/body"), label=label)
        assert found == Examples(("A\none", "two"), ("a", "b"))
    flat = written(tmp_path / "data.csv", b"text,a/b,topic\nhello,there,a\n,,b\n")
    assert read_examples(flat, text=("/text", "a/b"), label="topic").texts == ("hello\nthere",)


@pytest.mark.parametrize("name", ["data.csv", "data.jsonl"])
def test_rows_without_a_text_are_counted(name: str, tmp_path: Path) -> None:
    content = {
        "data.csv": b"body,topic\none,a\n,b\n  ,a\ntwo,b\n",
        "data.jsonl": b'{"body":"one","topic":"a"}\n{"body":null,"topic":"b"}\n'
        b'{"body":"","topic":"a"}\n{"body":"two","topic":"b"}\n',
    }
    found = read_examples(written(tmp_path / name, content[name]), text=("body",), label="topic")
    assert (found.texts, found.labels, found.textless) == (("one", "two"), ("a", "b"), 2)


@pytest.mark.parametrize(
    ("text", "label", "why"),
    [
        (("/t/titel", "/t/body"), "/topic", "no row has a text at /t/titel"),
        (("/t/bdoy",), "/topic", "and a text .*nothing at /t/bdoy"),
        (("/t",), "/topic", "an object at /t"),
        (("/t/body",), "/topc", "no row has a label in '/topc'"),
    ],
)
def test_a_pointer_that_finds_nothing_anywhere_is_told(
    text: tuple[str, ...], label: str, why: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "data.jsonl", NESTED)
    with pytest.raises(ConfigError, match=why):
        read_examples(path, text=text, label=label)


@given(st.lists(st.text(max_size=3)), st.integers(0, 3))
def test_a_split_never_overlaps_and_loses_nothing(texts: list[str], seed: int) -> None:
    examples = Examples(tuple(texts), tuple(f"label of {text}" for text in texts))
    train, held_out = examples.split(0.5, seed)
    assert not set(train.texts) & set(held_out.texts)
    assert sorted(train.texts + held_out.texts) == sorted(texts)
    for part in (train, held_out):
        assert part.labels == tuple(f"label of {text}" for text in part.texts)


def test_a_split_depends_on_the_seed_and_keeps_its_share() -> None:
    examples = Examples(tuple(map(str, range(2000))), ("a",) * 2000)
    first, again, other = (examples.split(0.15, seed)[1] for seed in (1, 1, 2))
    assert first == again != other
    assert 230 < len(first) < 370


def test_more_examples_move_no_other_across_the_split() -> None:
    texts = tuple(map(str, range(500)))
    few, many = Examples(texts[:300], ("a",) * 300), Examples(texts, ("a",) * 500)
    assert set(few.split(0.3, 1)[1].texts) <= set(many.split(0.3, 1)[1].texts)


COPIES = [
    "Thanks, @united! Flight 123 was late: https://a.example/x?y=1",
    "thanks @Delta... flight #123 was LATE www.b.example",
    "THANKS\nflight 123 was late",
]


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_near_copies_stay_together(seed: int, share: float) -> None:
    assert len(set(drawn(COPIES, share, seed))) == 1


def test_other_words_are_another_text_and_so_are_texts_without_words() -> None:
    texts = [
        "late flight",
        "flight late",
        "Verspätung",
        "verspätet",
        "12",
        "34",
        "!",
        "",
        "@a",
        "延误",
    ]
    sides = np.array([drawn(texts, 0.5, seed) for seed in range(64)]).T
    assert len({tuple(side) for side in sides.tolist()}) == len(texts)


@given(st.text(max_size=20), st.integers(0, 9))
def test_a_text_alone_is_on_the_side_that_it_has_among_others(text: str, tenths: int) -> None:
    assert drawn(["other", text], tenths / 10, 5)[1] == drawn([text], tenths / 10, 5)[0]
    assert is_held_back(text, 1.0)
    assert not is_held_back(text, 0.0)


def test_the_hash_is_of_content_and_order() -> None:
    examples = Examples(("a", "b"), ("x", "y"))
    assert examples.sha256 == Examples(("a", "b"), ("x", "y")).sha256
    others = [Examples(("b", "a"), ("y", "x")), Examples(("a", "b"), ("y", "x"))]
    assert examples.sha256 not in {other.sha256 for other in others}


def test_labels_and_label_set_must_match() -> None:
    examples = Examples(("a", "b"), ("x", "y"))
    examples.check_labels(["y", "x"], "task t")
    with pytest.raises(ConfigError, match="task t: example 2 has the label 'y'"):
        examples.check_labels(["x", "z"], "task t")
    with pytest.raises(ConfigError, match="no example has the label 'z'"):
        examples.check_labels(["x", "y", "z"], "task t")


def test_a_wrong_label_is_told_with_its_file_and_line_and_what_was_meant(tmp_path: Path) -> None:
    rows = b'text,label\n"two\nlines",refund\n,refund\nlate,\nlate,parcel\nlost,refnd\n'
    path = written(tmp_path / "data.csv", rows)
    examples = read_examples(path, text=("text",), label="label")
    said = r"data\.csv: line 7 has the label 'refnd', .*; did you mean refund\?"
    with pytest.raises(ConfigError, match=said):
        examples.check_labels(["refund", "parcel"], "task t")
    # The rest of a split knows its lines as well.
    with pytest.raises(ConfigError, match=said):
        examples.split(0.0, 1)[0].check_labels(["refund", "parcel"], "task t")
