"""The configuration that the chart renders is one that `streamer` takes."""

from pathlib import Path

import pytest

from streamer.cli import main
from streamer.config import load
from tests.k8s.chart import PROFILES, pod_specs, rendered, streamer_yaml


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
