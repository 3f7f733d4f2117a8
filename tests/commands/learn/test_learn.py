"""`streamer learn` from start to rollback, on logs as the services write them."""

import json

import pytest

from streamer.cli import main
from streamer.records.log import log_json
from streamer.records.log_file import LogWriter
from tests.commands.learn.scene import BETTER, CASES, COUNT, Folder, Say, entries
from tests.learn.rollout.tried import tried


def test_from_trial_to_promotion_and_back(
    folder: Folder, learn: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    better = folder.log("better")
    assert folder.serves() == (None, None)
    assert learn("start", better, "--worker", "one=2", "--share", "25%", "--seed", "5") == 0
    assert "one version 2 is on trial beside version 1, for 25% of" in capsys.readouterr().out
    assert folder.serves() == ("1", "2")
    assert folder.policy() == "version_policy { specific { versions: [ 1, 2 ] } }"
    assert learn("judge", better, "--out", folder.where / "page.html") == 0
    assert "planted: better" in capsys.readouterr().out
    assert "planted: better" in (folder.where / "page.html").read_text()
    assert folder.serves() == ("1", "2")
    assert learn("promote", better) == 0
    assert "restart classify; back by `streamer learn rollback" in capsys.readouterr().out
    assert folder.serves() == ("2", None)
    assert learn("rollback") == 0
    assert "one version 2 no longer serves; version 1 serves" in capsys.readouterr().out
    assert folder.serves() == ("1", None)
    assert [one["kind"] for one in entries(folder)] == ["trial", "promoted", "rolled_back"]
    assert learn("status") == 0
    assert "rolled_back" in capsys.readouterr().out
    assert learn("rollback") == 2
    assert "no promotion stands and no trial is open" in capsys.readouterr().err


def test_every_step_says_what_it_rests_on(started: Folder, learn: Say) -> None:
    assert learn("promote", started.log("better")) == 0
    trial, promoted = entries(started)
    known = {"one": {"version": "2", "digest": f"{2:064x}"}}
    assert trial["models"] == promoted["models"] == known
    assert trial["seed"] == 5
    assert len(trial["log"]) == len(promoted["log"]) == 64
    assert trial["log"] != promoted["log"]
    figures = promoted["figures"]
    assert figures["verdict"] == "better"
    assert figures["workers"][0]["test"]["gained"] > figures["workers"][0]["test"]["lost"]
    assert figures["vote"]["judge_rate"][1]["of"] == COUNT
    assert [one["number"] for one in (trial, promoted)] == [1, 2]


def test_promote_and_rollback_leave_the_settings_as_they_were(folder: Folder, learn: Say) -> None:
    folder.write(workers=[{"model": name, "version": "1"} for name in CASES.workers])
    before = folder.settings
    assert learn("start", folder.log("same"), "--worker", "one=2") == 0
    assert learn("promote", folder.log("better")) == 0
    assert folder.settings != before
    assert learn("rollback") == 0
    assert folder.settings == before


def test_two_promotions_are_rolled_back_one_by_one(
    started: Folder, learn: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    assert learn("promote", "--anyway", "first") == 0
    started.version("one", 3)
    assert learn("start", started.log("same"), "--worker", "one=3") == 0
    assert started.serves() == ("2", "3")
    assert started.policy() == "version_policy { specific { versions: [ 2, 3 ] } }"
    assert learn("promote", "--anyway", "second") == 0
    assert learn("rollback") == 0
    assert started.serves() == ("2", None)
    assert "restart Triton" not in capsys.readouterr().err
    assert learn("rollback") == 0
    assert started.serves() == ("1", None)
    assert started.policy() == "version_policy { specific { versions: [ 1, 2 ] } }"
    assert "restart Triton first, so that it loads version 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("worse", "planted: worse, so nothing is promoted: one version 2 is worse"),
        ("same", "planted: not yet known, so nothing is promoted: no version on trial is known"),
    ],
)
def test_what_is_not_better_is_promoted_for_a_reason_alone(
    started: Folder, learn: Say, capsys: pytest.CaptureFixture[str], log: str, said: str
) -> None:
    before = started.learned.read_bytes()
    assert learn("promote", started.log(log)) == 2
    assert said in capsys.readouterr().err
    assert learn("promote") == 2
    assert "name the log" in capsys.readouterr().err
    assert started.learned.read_bytes() == before
    assert learn("promote", started.log(log), "--anyway", "it is\x1b[31m faster") == 0
    assert entries(started)[-1]["why"] == "it is\x1b[31m faster"
    assert started.serves() == ("2", None)
    assert learn("status") == 0
    assert "\x1b" not in capsys.readouterr().out


def test_one_trial_at_a_time(
    started: Folder, learn: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    assert learn("start", started.log("same"), "--worker", "one=2") == 2
    assert "a trial is open" in capsys.readouterr().err
    assert learn("rollback", "--trial") == 0
    assert "is no longer on trial; version 1 serves" in capsys.readouterr().out
    assert started.serves() == ("1", None)
    assert learn("rollback", "--trial") == 2
    assert learn("start", started.log("same"), "--worker", "one=2") == 0


def test_rollback_ends_an_open_trial_as_well(started: Folder, learn: Say) -> None:
    assert learn("promote", "--anyway", "a try") == 0
    started.version("one", 3)
    assert learn("start", started.log("same"), "--worker", "one=3") == 0
    assert learn("rollback") == 0
    assert started.serves() == ("1", None)
    assert [one["kind"] for one in entries(started)][-2:] == ["dropped", "rolled_back"]


def test_tickets_of_before_the_trial_count_for_nothing(
    started: Folder, learn: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    with LogWriter(started.where / "old.parquet") as log:
        for one in tried(CASES, {"one": BETTER}, at="2020-01-01T00:00:00.000Z"):
            log.add(log_json(one))
    assert learn("judge", started.log("old")) == 0
    assert "no judged ticket of the uniform stratum has both" in capsys.readouterr().out


def test_what_serves_is_pinned_by_the_log(folder: Folder, learn: Say) -> None:
    """Of several versions in the repository, tickets met the first: it serves, of all workers."""
    folder.version("one", 3)
    folder.version("two", 2)
    assert learn("start", folder.log("same"), "--worker", "one=3") == 0
    assert folder.serves() == ("1", "3")
    assert [one.version for one in folder.settings.tasks["planted"].workers] == ["1", "1", "1"]
    models = folder.where / "models_repo"
    assert "specific { versions: [ 1 ] }" in (models / "two" / "config.pbtxt").read_text()
    assert "version_policy" not in (models / "three" / "config.pbtxt").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["start", "same", "--worker", "one=9"], "has no version 9 of one"),
        (["start", "same", "--worker", "one=1"], "the shadow's version votes already"),
        (
            ["start", "same", "--worker", "four=2"],
            "four is no worker of planted: use one of one, two, three",
        ),
        (["start", "same"], "say what to try: --tickets FILE to train"),
        (["start", "same", "--worker", "one=2", "--share", "0"], "greater than 0"),
        (["start", "same", "--worker", "one=2", "--tickets", "none"], "say what to try"),
        (["start", "none", "--worker", "one=2"], "can't read"),
        (["start", "--worker", "one=2"], "name the log"),
        (["judge", "same"], "no trial is open"),
        (["promote", "same", "--task", "planted"], "no trial of planted is open"),
        (["promote", "same", "--task", "gone"], "no task 'gone'"),
        (["status", "--anyway", "x"], "`streamer learn status` takes no --anyway"),
        (["rollback", "same"], "`streamer learn rollback` takes no LOG"),
    ],
)
def test_a_mistake_changes_nothing(
    folder: Folder, learn: Say, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    files = {"same": folder.log("same"), "none": folder.log("none")}
    assert learn(*(files.get(word, word) for word in words)) == 2
    assert said in capsys.readouterr().err
    assert not folder.learned.exists()
    assert "version_policy" not in folder.pbtxt.read_text()


def test_without_the_key_it_says_which_to_add(
    folder: Folder, learn: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.config.write_text(folder.config.read_text().replace("learned: learned.json\n", ""))
    assert learn("status") == 2
    assert "learned names no file: add the key" in capsys.readouterr().err


def test_a_version_that_changed_meanwhile_is_not_promoted(
    started: Folder, learn: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = started.where / "models_repo" / "one" / "2" / "manifest.json"
    manifest.write_text(json.dumps({"digest": "other"}))
    assert learn("promote", started.log("better")) == 2
    assert "is not the one of the trial" in capsys.readouterr().err


def test_check_says_what_was_learned(started: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(started.config)]) == 0
    said = capsys.readouterr().out
    assert "learned planted: one 1 with 2 on trial, two 1, three 1; by step 1, trial" in said
    assert main(["check", "--json", "--config", str(started.config)]) == 0
    assert json.loads(capsys.readouterr().out)["learned"][0].startswith("planted: one 1 with 2")


def test_everything_is_said_as_json(
    folder: Folder, learn: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    better = folder.log("better")
    assert learn("start", better, "--worker", "one=2", "--json") == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "trial"
    assert learn("judge", better, "--json") == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "better"
    assert learn("promote", better, "--json") == 0
    assert json.loads(capsys.readouterr().out)["serves"]["workers"]["one"]["version"] == "2"
    assert learn("status", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["tasks"]["planted"]["workers"]["one"] == {"version": "2", "shadow": None}
    assert [one["kind"] for one in said["history"]] == ["trial", "promoted"]
    assert learn("rollback", "--json") == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "rolled_back"
