"""The file of what was learned: steps, what stands of them, and that nobody edited it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from streamer.errors import ConfigError
from streamer.records.learned import Entry, Learned, Serves, Serving, Shadowed, Trained
from streamer.records.learned_file import read_learned, write_learned

PINNED = Serves({"word": Serving("1")}, calibration="old.json")


def trial(learned: Learned, version: str) -> Learned:
    serves = learned.serves.get("intent", PINNED).without_shadows
    tried = Serving(serves.workers["word"].version, Shadowed(version, 0.1, 0.2))
    models = {"word": Trained(version, "ab" * 32)}
    serves = replace(serves, workers={"word": tried})
    made = Entry(learned.next_number, "2026-01-01T00:00:00.000Z", "intent", "trial", serves, models)
    return learned.then(made)


def after(learned: Learned, kind: str, serves: Serves) -> Learned:
    at = "2026-01-02T00:00:00.000Z"
    return learned.then(Entry(learned.next_number, at, "intent", kind, serves, why="we looked"))


def promoted(learned: Learned, version: str) -> Learned:
    new = Serves({"word": Serving(version)}, f"{version}.json", "segments/3")
    return after(trial(learned, version), "promoted", new)


def rolled_back(learned: Learned) -> Learned:
    standing = learned.promotion("intent")
    assert standing is not None
    return after(learned, "rolled_back", standing[1])


@given(some.lists(some.booleans(), max_size=12))
def test_every_way_back_leads_to_what_served_before(steps: list[bool]) -> None:
    """True promotes the next version, False rolls back where something stands."""
    learned, stack = Learned(), [PINNED]
    for number, forth in enumerate(steps, 2):
        if forth:
            learned = promoted(learned, str(number))
            stack.append(learned.serves["intent"])
        elif len(stack) > 1:
            learned = rolled_back(learned)
            stack.pop()
        assert learned.serves.get("intent", PINNED) == stack[-1]
        assert (learned.promotion("intent") is not None) == (len(stack) > 1)
    assert Learned.from_json(learned.to_json()) == learned


def test_a_trial_is_open_until_the_next_step() -> None:
    learned = trial(Learned(), "2")
    assert learned.trial("intent") == learned.entries[0]
    assert learned.trial("mood") is None
    dropped = after(learned, "dropped", learned.serves["intent"].without_shadows)
    assert dropped.trial("intent") is None
    assert dropped.serves["intent"] == PINNED


def test_the_file_says_what_it_was_told(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    assert read_learned(path) == Learned()
    learned = promoted(Learned(), "2")
    write_learned(path, learned, Learned())
    assert read_learned(path) == learned
    assert [file.name for file in tmp_path.iterdir()] == ["learned.json"]
    raw = json.loads(path.read_text())
    assert raw["serves"]["intent"]["workers"]["word"]["version"] == "2"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"version": "2"', '"version": "3"', "changed after it was written"),
        ('"why": "we looked"', '"why": "no"', "changed after it was written"),
        ('"format": 1', '"format": 2', "its format is 2"),
        ("{", "[", "can't be used"),
        ('"sha256"', '"sha"', "can't be used"),
    ],
)
def test_an_edited_file_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    path = tmp_path / "learned.json"
    write_learned(path, promoted(Learned(), "2"), Learned())
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=why) as caught:
        read_learned(path)
    assert "restore it" in str(caught.value)


@pytest.mark.parametrize("length", [0, 1, 100])
def test_a_cut_file_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "learned.json"
    path.write_bytes(promoted(Learned(), "2").to_json()[:length])
    with pytest.raises(ConfigError, match="restore it"):
        read_learned(path)


def test_what_somebody_else_wrote_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    theirs = promoted(Learned(), "2")
    write_learned(path, theirs, Learned())
    with pytest.raises(ConfigError, match="written meanwhile"):
        write_learned(path, promoted(Learned(), "3"), Learned())
    assert read_learned(path) == theirs


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make its folder"):
        write_learned(tmp_path / "none" / "learned.json", promoted(Learned(), "2"), Learned())
    with pytest.raises(ConfigError, match="can't read"):
        read_learned(tmp_path)
