"""The configuration that the chart renders is one that `streamer` takes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer.cli import main
from streamer.config import load
from streamer.records.learned import Entry, Learned, Serves, Serving
from tests.k8s.chart import PROFILES, Object, one, pod_specs, rendered, streamer_yaml
from tests.k8s.segments import write_version


@pytest.mark.parametrize("profile", PROFILES)
def test_the_rendered_file_is_good_and_fits_the_pods(
    profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MONITOR_TOKEN", "KAFKA_PASSWORD"):
        monkeypatch.setenv(name, "a-token-of-the-tests")
    objects = rendered(profile=profile)
    path = tmp_path / "streamer.yaml"
    path.write_text(streamer_yaml(objects))
    assert main(["check", "--config", str(path)]) == 0
    settings = load(path)
    assert settings.classify.listen.host == settings.judge.listen.host == "0.0.0.0"
    assert settings.kafka.member is None
    graces = [pod.get("terminationGracePeriodSeconds", 30) for pod in pod_specs(objects)]
    assert max(graces) > settings.kafka.drain


@pytest.mark.parametrize(
    "first",
    [
        {"version": "1", "shadow": {"version": "2", "share": 0.05}},
        {"version": "2"},
        {"version": "1"},
    ],
    ids=["shadow", "promoted", "rolled back"],
)
def test_a_worker_version_is_rolled_out_by_values(first: dict[str, Any], tmp_path: Path) -> None:
    workers = [{"model": "intent_word", **first}, "intent_char", "intent_net"]
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({"config": {"tasks": {"intent": {"workers": workers}}}}))
    path = tmp_path / "streamer.yaml"
    path.write_text(streamer_yaml(rendered("--values", values)))
    assert main(["check", "--config", str(path)]) == 0
    pinned, *others = load(path).tasks["intent"].workers
    shadow = first.get("shadow")
    assert pinned.version == first["version"]
    assert (pinned.shadow and pinned.shadow.model_dump(include={"version", "share"})) == shadow
    assert [worker.version for worker in others] == [None, None]


def test_the_rendered_file_is_good_where_its_segments_are_mounted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    objects = rendered("--set", "segments.source=image,config.tasks.intent.segments=/segments/3")
    write_version(folder := tmp_path / "3")
    path = tmp_path / "streamer.yaml"
    for component in ("classify", "monitor"):
        path.write_text(streamer_yaml(objects).replace(mounted(objects, component), str(tmp_path)))
        assert main(["check", "--config", str(path)]) == 0
        assert f"by the segments of {folder}" in capsys.readouterr().out
    (folder / "model.npz").unlink()
    assert main(["check", "--config", str(path)]) == 2
    assert "tasks.intent.segments" in capsys.readouterr().err


def test_what_was_learned_is_rolled_out_as_a_file_beside_the_configuration(tmp_path: Path) -> None:
    serves = Serves({"intent_word": Serving("2")})
    entry = Entry(1, "2026-01-01T00:00:00.000Z", "intent", "promoted", serves)
    (tmp_path / "learned.json").write_bytes(Learned().then(entry).to_json())
    given = ["--set", "config.learned=learned.json,files[0].name=learned.json"]
    objects = rendered(*given, "--set-file", f"files[0].content={tmp_path / 'learned.json'}")
    files = next(one for one in objects if "learned.json" in one.get("data", {}))["data"]
    for name in ("streamer.yaml", "learned.json"):
        (tmp_path / name).write_text(files[name])
    assert main(["check", "--config", str(tmp_path / "streamer.yaml")]) == 0
    workers = load(tmp_path / "streamer.yaml").tasks["intent"].workers
    assert [worker.version for worker in workers] == ["2", None, None]


def mounted(objects: list[Object], component: str) -> str:
    """Where this component's pods have the segments."""
    pod = one(objects, "Deployment", f"desk-{component}")["spec"]["template"]["spec"]
    mounts = {mount["name"]: mount for mount in pod["containers"][0]["volumeMounts"]}
    assert "segments" in [volume["name"] for volume in pod["volumes"]]
    assert mounts["segments"]["readOnly"]
    return str(mounts["segments"]["mountPath"])
