"""The chart's folder is whole: it can be packed, and copied to where nothing else of ours is."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CHART = ROOT / "k8s" / "streamer"


def test_nothing_in_the_chart_leads_out_of_it() -> None:
    files = list(CHART.rglob("*"))
    assert len(files) > 20
    assert [str(path) for path in files if path.is_symlink()] == []


def test_the_charts_sample_is_the_bundled_one() -> None:
    copy = CHART / "files" / "streamer.yaml"
    assert copy.read_bytes() == (ROOT / "streamer.yaml").read_bytes(), f"cp streamer.yaml {copy}"
