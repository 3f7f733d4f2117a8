"""Trials of several tasks, and of tasks that are routed by segments."""

from pathlib import Path

import pytest
import yaml

from streamer.records.labelset import LabelSet
from streamer.records.routing import TaskRoutes
from tests.commands.learn.scene import CASES, Folder, Say, entries
from tests.routed import word_gate, write_routing


def test_segments_that_were_trained_with_are_noted_and_route_nothing(
    folder: Folder, learn: Say
) -> None:
    found = folder.where / "segments" / "3"
    words = ("--worker", "one=2", "--segments", found)
    assert learn("start", folder.log("same"), *words) == 0
    assert learn("promote", "--anyway", "a try") == 0
    trial, promoted = entries(folder)
    assert trial["segments"] == "segments/3"
    assert trial["serves"]["segments"] is promoted["serves"]["segments"] is None


def test_a_model_of_two_tasks_is_tried_for_both(
    folder: Folder, learn: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    body = yaml.safe_load(folder.config.read_text())
    body["tasks"]["other"] = body["tasks"]["planted"]
    folder.config.write_text(yaml.safe_dump(body))
    words = ("start", folder.log("same"), "--worker", "one=2")
    assert learn(*words, "--task", "planted") == 2
    assert "give both the same version" in capsys.readouterr().err
    assert learn(*words) == 0
    assert {one["task"] for one in entries(folder)} == {"planted", "other"}
    assert len({one["number"] for one in entries(folder)}) == 2
    assert learn("promote", "--anyway", "a try", "--task", "other") == 2
    assert "give both the same version" in capsys.readouterr().err
    assert learn("promote", "--anyway", "a try") == 0


def test_a_worker_of_another_task_is_not_pinned_for_one_alone(folder: Folder, learn: Say) -> None:
    body = yaml.safe_load(folder.config.read_text())
    body["tasks"]["other"] = {**body["tasks"]["planted"], "workers": ["two", "three"]}
    folder.config.write_text(yaml.safe_dump(body))
    assert learn("start", folder.log("same"), "--worker", "one=2") == 0
    assert [one["task"] for one in entries(folder)] == ["planted"]
    workers = folder.settings.tasks["planted"].workers
    assert [one.version for one in workers] == ["1", None, None]


def test_of_a_task_that_is_routed_the_vote_is_not_compared(
    folder: Folder, learn: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write(segments="segments/1")
    assert learn("start", folder.log("better"), "--worker", "one=2") == 0
    assert learn("promote", folder.log("better")) == 2
    said = capsys.readouterr().err
    assert "not yet known, so nothing is promoted: the task is routed by segments" in said


def test_segments_to_route_by_come_and_go_with_the_promotion(folder: Folder, learn: Say) -> None:
    found = folder.where / "segments" / "3"
    assert learn("start", folder.log("same"), "--worker", "one=2") == 0
    assert learn("promote", "--anyway", "a try", "--segments", found) == 2
    assert folder.settings.tasks["planted"].segments is None
    routes = TaskRoutes(LabelSet(CASES.labels).version, {}, 0.1, {})
    write_routing(found, word_gate(), (1, 2), {"planted": routes})
    assert learn("promote", "--anyway", "a try", "--segments", found) == 0
    assert folder.settings.tasks["planted"].segments == Path("segments/3")
    assert learn("rollback") == 0
    assert folder.settings.tasks["planted"].segments is None
