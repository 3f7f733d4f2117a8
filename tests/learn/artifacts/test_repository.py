from pathlib import Path

import pytest

from streamer.dev.triton import Triton
from streamer.errors import ConfigError
from streamer.learn.artifacts.repository import (
    latest_version,
    load_versions,
    new_version,
    write_model,
)
from streamer.workers.triton import TritonClient
from tests.conftest import own_triton


def test_versions_count_up_and_appear_complete(tmp_path: Path) -> None:
    write_model(tmp_path, "model", "echo", ["a", "b"], version=None)
    assert latest_version(tmp_path, "model") == 0
    for number in (1, 2):
        with new_version(tmp_path, "model") as draft:
            (draft / "weights").write_text("w")
            assert latest_version(tmp_path, "model") == number - 1
        assert (tmp_path / "model" / str(number) / "weights").read_text() == "w"
    assert latest_version(tmp_path, "model") == 2


def fail_halfway(repository: Path) -> None:
    with new_version(repository, "model") as draft:
        (draft / "half").touch()
        raise RuntimeError("training failed")


def test_a_failed_version_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="training failed"):
        fail_halfway(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("labels", [["one"], ["a", "a"], ["a", ""], ["a", " b"], ["a", "b\nc"]])
def test_impossible_label_sets_are_refused(tmp_path: Path, labels: list[str]) -> None:
    with pytest.raises(ConfigError, match="model model"):
        write_model(tmp_path, "model", "echo", labels)


async def test_triton_reads_what_was_written(tmp_path: Path) -> None:
    labels = ["späte Lieferung", 'says "no"', "back\\slash", "time: 10:30", "#5"]
    write_model(
        tmp_path / "models", "odd", "echo", labels, parameters={"note": 'a "quoted"\nline\\'}
    )
    server: Triton = own_triton(tmp_path / "state", tmp_path / "models")
    with server:
        client = TritonClient(server.url)
        assert await client.labels("odd", 10.0) == ("1", tuple(labels))
        await client.close()


def test_chosen_versions_are_loaded_and_no_other(tmp_path: Path) -> None:
    folder = write_model(tmp_path, "model", "echo", ["a", "b"], served=2, parameters={"x": "1"})
    for number in (2, 10):
        (folder / str(number)).mkdir()
    before = (folder / "config.pbtxt").read_text()
    assert load_versions(tmp_path, "model", {"10", "2"})
    text = (folder / "config.pbtxt").read_text()
    lines = [line for line in text.splitlines() if line.startswith("version_policy")]
    assert lines == ["version_policy { specific { versions: [ 2, 10 ] } }"]
    rest = [line for line in before.splitlines() if not line.startswith("version_policy")]
    assert [line for line in text.splitlines() if line not in lines] == rest
    assert not load_versions(tmp_path, "model", {"2", "10"})
    assert (folder / "config.pbtxt").read_text() == text
    # Who trains again changes nothing of what is served.
    write_model(tmp_path, "model", "echo", ["a", "b"], served=2, parameters={"x": "1"})
    assert (folder / "config.pbtxt").read_text().count(lines[0]) == 1
    assert "latest" not in (folder / "config.pbtxt").read_text()
    with pytest.raises(ConfigError, match="has no version 3 of model"):
        load_versions(tmp_path, "model", {"2", "3"})
    with pytest.raises(ConfigError, match="has no version 1 of other"):
        load_versions(tmp_path, "other", {"1"})


@pytest.mark.parametrize(
    "written",
    [
        "version_policy: { all { } }\n",
        "version_policy {\n  specific {\n    versions: [ 1 ]\n  }\n}\n",
        "",
    ],
)
def test_a_policy_that_somebody_wrote_is_replaced(tmp_path: Path, written: str) -> None:
    config = write_model(tmp_path, "model", "echo", ["a", "b"]) / "config.pbtxt"
    rest = config.read_text()
    config.write_text(f"{written}{rest}")
    assert load_versions(tmp_path, "model", {"1"})
    assert config.read_text() == f"{rest}version_policy {{ specific {{ versions: [ 1 ] }} }}\n"
