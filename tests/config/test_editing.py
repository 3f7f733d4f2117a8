"""Keys set in a file that people wrote."""

import pytest
import yaml

from streamer.config.editing import with_keys, with_rows
from streamer.errors import ConfigError

KEYS = {"codes": "names", "contextual": False, "shifts": 3}


def test_keys_are_replaced_in_their_places_new_ones_follow_and_comments_stay() -> None:
    text = (
        "a: 1\njudge:\n  # why\n  kind: llm # yes\n  codes: letters\n  engine:\n"
        "    codes: 1\n\nb: 2\n"
    )
    assert with_keys(text, "judge", KEYS) == (
        "a: 1\njudge:\n  # why\n  kind: llm # yes\n  codes: names\n  engine:\n    codes: 1\n"
        "  contextual: false\n  shifts: 3\n\nb: 2\n"
    )


def test_a_block_that_is_not_there_is_written_at_the_end() -> None:
    found = with_keys("a: 1", "judge", KEYS)
    assert yaml.safe_load(found) == {"a": 1, "judge": KEYS}


def test_a_block_on_one_line_is_refused_with_the_lines_to_write() -> None:
    with pytest.raises(ConfigError, match="write there:\n  codes: names\n  contextual: false"):
        with_keys("judge: {kind: llm}\n", "judge", KEYS)


def test_a_key_that_holds_several_lines_is_refused() -> None:
    with pytest.raises(ConfigError, match="line by line"):
        with_keys("judge:\n  codes:\n    - names\n", "judge", KEYS)


@pytest.mark.parametrize(
    "empty", ["", "examples: []\n", "examples: [ ]  # none yet\n", "examples:\n"]
)
def test_rows_take_the_place_of_none_at_the_end(empty: str) -> None:
    found = with_rows(f"# ours\na: 1\n{empty}b: 2\n", "examples", [{"text": "# x", "label": "é"}])
    assert found.startswith("# ours\na: 1\nb: 2\n\nexamples:\n")
    assert yaml.safe_load(found) == {"a": 1, "b": 2, "examples": [{"text": "# x", "label": "é"}]}


@pytest.mark.parametrize("text", ["{a: 1}\n", "'examples': []\n", "examples: [\n]\n", "- a\n"])
def test_rows_that_would_not_stand_alone_are_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ConfigError, match="write there:\nexamples:\n- a: 1"):
        with_rows(text, "examples", [{"a": 1}])
