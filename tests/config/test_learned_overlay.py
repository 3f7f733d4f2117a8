"""What `streamer learn` wrote lies over streamer.yaml, and nothing else does."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer.config import Settings, load
from streamer.errors import ConfigError
from streamer.records.learned import Entry, Learned, Serves, Serving, Shadowed
from streamer.records.learned_file import write_learned

AT = "2026-01-01T00:00:00.000Z"
WORD = {"model": "word", "kind": "word_ngrams"}


def raw(**more: Any) -> dict[str, Any]:
    task = {"labels": ["a", "b"], "workers": [dict(WORD), "char"]}
    return {"kafka": {"start": "earliest"}, "tasks": {"intent": task, "mood": task}, **more}


def loaded(folder: Path, body: dict[str, Any], **overrides: str) -> Settings:
    path = folder / "streamer.yaml"
    path.write_text(yaml.safe_dump(body))
    return load(path, overrides)


def write(folder: Path, serves: Serves, *names: str) -> None:
    entries = [
        Entry(number, AT, name, "trial", serves)
        for number, name in enumerate(names or ("intent", "mood"), 1)
    ]
    write_learned(folder / "learned.json", Learned(tuple(entries)), Learned())


def test_without_the_key_the_file_means_nothing(tmp_path: Path) -> None:
    write(tmp_path, Serves({"word": Serving("2")}))
    before = loaded(tmp_path, raw())
    assert before == Settings.model_validate(raw()).rooted(tmp_path)
    assert before.learned is None


def test_where_nothing_was_learned_yet_only_the_key_differs(tmp_path: Path) -> None:
    found = loaded(tmp_path, raw(learned="learned.json"))
    assert found.model_copy(update={"learned": None}) == loaded(tmp_path, raw())


def test_versions_shadows_and_calibrations_are_those_that_were_learned(tmp_path: Path) -> None:
    word = Serving("1", Shadowed("2", 0.25, 0.5))
    write(tmp_path, Serves({"word": word, "char": Serving("4")}, calibration="new.json"))
    found = loaded(tmp_path, raw(learned="learned.json"))
    by_hand = raw(learned="learned.json")
    for name in ("intent", "mood"):
        shadow = {"version": "2", "share": 0.25, "deadline": 0.5}
        by_hand["tasks"][name] = {
            **by_hand["tasks"][name],
            "workers": [
                {**WORD, "version": "1", "shadow": shadow},
                {"model": "char", "version": "4"},
            ],
            "calibration": "new.json",
        }
    assert found == Settings.model_validate(by_hand).rooted(tmp_path)


def test_a_pin_of_the_configuration_gives_way(tmp_path: Path) -> None:
    body = raw(learned="learned.json")
    shadow = {"version": "9", "share": 0.5}
    body["tasks"] = {"intent": {**raw()["tasks"]["intent"], "calibration": "old.json"}}
    body["tasks"]["intent"]["workers"] = [{**WORD, "version": "1", "shadow": shadow}, "char"]
    write(tmp_path, Serves({"word": Serving("2")}), "intent")
    task = loaded(tmp_path, body).tasks["intent"]
    assert (task.workers[0].version, task.workers[0].shadow) == ("2", None)
    # A file that was not learned stays.
    assert task.calibration == Path("old.json")


def test_an_option_of_one_run_wins(tmp_path: Path) -> None:
    write(tmp_path, Serves({"word": Serving("2")}, calibration="new.json"))
    found = loaded(
        tmp_path, raw(learned="learned.json"), **{"tasks.intent.calibration": "this.json"}
    )
    assert found.tasks["intent"].calibration == Path("this.json")
    found = loaded(tmp_path, raw(), learned="learned.json")
    assert found.tasks["mood"].workers[0].version == "2"


@pytest.mark.parametrize(
    ("serves", "name", "said"),
    [
        (Serves(), "gone", "task 'gone' is not in the configuration"),
        (Serves({"net": Serving("1")}), "intent", "worker 'net' is not in the configuration"),
    ],
)
def test_what_the_configuration_has_not_is_an_error(
    tmp_path: Path, serves: Serves, name: str, said: str
) -> None:
    write(tmp_path, serves, name)
    with pytest.raises(ConfigError, match=said) as caught:
        loaded(tmp_path, raw(learned="learned.json"))
    assert "put it back" in str(caught.value)


def test_a_damaged_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "learned.json").write_text("{}")
    with pytest.raises(ConfigError, match="only `streamer learn` writes it"):
        loaded(tmp_path, raw(learned="learned.json"))


@pytest.mark.parametrize("tasks", [None, [], {"intent": None}, {"intent": {"workers": "word"}}])
def test_what_is_no_block_is_told_as_ever(tmp_path: Path, tasks: Any) -> None:
    write(tmp_path, Serves({"word": Serving("2")}), "intent")
    with pytest.raises(ConfigError, match="tasks"):
        loaded(tmp_path, {**raw(learned="learned.json"), "tasks": tasks})
    with pytest.raises(ConfigError, match="learned"):
        loaded(tmp_path, raw(learned=["learned.json"]))
