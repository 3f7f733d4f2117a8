import pytest

from streamer.records.labelset import LONGEST, LabelSet, unfit


@pytest.mark.parametrize(
    ("labels", "version"),
    [
        (("a", "b"), "e25cdb81e3f1"),
        (("billing", "bug", "question"), "9ec7dbc0b4cb"),
        (("Rückfrage", "退款", "👩‍💻 access"), "a9403117419e"),
    ],
)
def test_the_version_of_a_label_set_stays_as_it_was(labels: tuple[str, ...], version: str) -> None:
    assert LabelSet(labels).version == version
    assert unfit(labels) is None


def test_label_sets_that_differ_have_versions_that_differ() -> None:
    sets = [("a", "b", "c"), ("a\0b", "c"), ("a", "b\0c"), ("a\0b\0c",), ("a:b", "c"), ("b", "a")]
    assert len({LabelSet(labels).version for labels in sets}) == len(sets)


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ("", "is empty"),
        ("a ", "begins or ends with a space"),
        ("\ta", "begins or ends with a space"),
        ("\u00a0a", "begins or ends with a space"),
        ("a\nb", "U+000A"),
        ("a\rb", "U+000D"),
        ("a\u2028b", "U+2028"),
        ("a\x85b", "U+0085"),
        ("a\0b", "U+0000"),
        ("a\x1b[31mb", "U+001B"),
        ("a\u202eb", "U+202E"),
        ("a\u200bb", "U+200B"),
        ("a\ufeffb", "U+FEFF"),
        ("a\ud800b", "U+D800"),
        ("a" * (LONGEST + 1), f"has {LONGEST + 1} characters"),
        ("b", "twice"),
    ],
)
def test_an_odd_label_is_refused_with_the_reason(odd: str, why: str) -> None:
    assert why in str(unfit(("b", odd)))


def test_two_forms_of_one_label_are_refused() -> None:
    assert "two forms of Unicode" in str(unfit(("caf\u00e9", "cafe\u0301")))
    assert unfit(("café", "cafe", "x" * LONGEST)) is None
