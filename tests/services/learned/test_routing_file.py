"""What a version's folder must be, for a task to be routed by it."""

from pathlib import Path

import pytest

from streamer.config.tasks import Task
from streamer.errors import ConfigError
from streamer.records.label import Rule
from streamer.records.labelset import LabelSet
from streamer.records.routing import ROUTING_FILE, RouteRecord, TaskRoutes
from streamer.services.learned.routing_file import RoutingFile
from tests.conftest import ECHO_LABELS, ECHO_MODELS
from tests.routed import word_gate, write_routing

ALONE = RouteRecord(("echo_c",), Rule("majority", 1, 1), {})
JUDGE = RouteRecord((), Rule("judge", 0, 0), {})
LABELS = LabelSet(ECHO_LABELS).version


def task(**given: object) -> Task:
    workers = [{"model": name} for name in ECHO_MODELS]
    return Task.model_validate({"labels": ECHO_LABELS, "workers": workers, **given})


def written(folder: Path, label_set: str = LABELS, **ways: RouteRecord) -> Path:
    own = {name.removeprefix("s"): way for name, way in ways.items()}
    routes = {"intent": TaskRoutes(label_set, {}, 0.1, own)}
    write_routing(folder, word_gate(), (4, 7), routes)
    return folder


def test_a_folder_of_this_task_is_read_whole(tmp_path: Path) -> None:
    found = RoutingFile.of("intent", task(), written(tmp_path, s4=ALONE, s7=JUDGE))
    assert found.gate is not None
    assert found.routes.ways == {"4": ALONE, "7": JUDGE}


def test_a_single_segment_needs_no_gate(tmp_path: Path) -> None:
    write_routing(tmp_path, None, (1,), {"intent": TaskRoutes(LABELS, {}, 0.1, {})})
    assert RoutingFile.of("intent", task(), tmp_path).gate is None


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    strange = RouteRecord(("somebody",), Rule("majority", 1, 1), {})
    with pytest.raises(ConfigError, match="can't read"):
        RoutingFile.of("intent", task(), tmp_path / "nothing")
    with pytest.raises(ConfigError, match="no ways for this task"):
        RoutingFile.of("tone", task(), written(tmp_path, s4=ALONE))
    with pytest.raises(ConfigError, match="of label set 000"):
        RoutingFile.of("intent", task(), written(tmp_path, "000", s4=ALONE))
    with pytest.raises(ConfigError, match="workers somebody"):
        RoutingFile.of("intent", task(), written(tmp_path, s4=strange))


def test_segments_of_the_judges_are_refused_beside_a_budget(tmp_path: Path) -> None:
    folder = written(tmp_path, s4=ALONE, s7=JUDGE)
    with pytest.raises(ConfigError, match=r"segments 7 of .* go to the judge at once"):
        RoutingFile.of("intent", task(budget={"share": 0.1}), folder)
    RoutingFile.of("intent", task(budget={"share": 0.1}), written(tmp_path, s4=ALONE))


@pytest.mark.parametrize("said", [b"", b"[]", b"{", b'{"tasks": []}', b"\xff"])
def test_a_damaged_or_edited_file_is_refused(tmp_path: Path, said: bytes) -> None:
    path = written(tmp_path, s4=ALONE) / ROUTING_FILE
    whole = path.read_bytes()
    path.write_bytes(said)
    with pytest.raises(ConfigError, match="is no routing"):
        RoutingFile.of("intent", task(), tmp_path)
    path.write_bytes(whole.replace(b'"budget": 0.1', b'"budget": 0.2'))
    with pytest.raises(ConfigError, match="was changed"):
        RoutingFile.of("intent", task(), tmp_path)
