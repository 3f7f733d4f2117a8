from pathlib import Path

import pytest

from streamer.dev.triton import Triton
from streamer.errors import ConfigError
from streamer.learn.repository import latest_version, new_version, write_model
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
    assert list((tmp_path / "model").iterdir()) == []


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
